/*
 * The table of outside providers; functions.toml overrides it and may add others.
 */
#include "providers.h"

#include "interpolate.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

const struct provider provider_table[] = {
    { "lovable_ai", "https://ai.gateway.lovable.dev", "LOVABLE_AI_BASE_URL", "LOVABLE_API_KEY", NULL },
    { "openai", "https://api.openai.com", "OPENAI_BASE_URL", "OPENAI_API_KEY", NULL },
    { "elevenlabs", "https://api.elevenlabs.io", "ELEVENLABS_BASE_URL",
        "ELEVENLABS_API_KEY,ELEVEN_LABS_API_KEY", "xi-api-key",
        .credentials = "ELEVEN_LABS_DEFAULT_AGENT_ID,ELEVEN_LABS_BUYER_AGENT_ID,ELEVEN_LABS_SELLER_AGENT_ID,"
                       "ELEVEN_LABS_DEFAULT_VOICE_ID" },
    { "twilio", "https://api.twilio.com", "TWILIO_BASE_URL", NULL, NULL,
        .credentials = "TWILIO_ACCOUNT_SID,TWILIO_AUTH_TOKEN" },
    { "resend", "https://api.resend.com", "RESEND_BASE_URL", "RESEND_API_KEY", NULL },
    { "clerk", "https://api.clerk.com", "CLERK_BASE_URL", "CLERK_SECRET_KEY", NULL },
    { "google_oauth", "https://oauth2.googleapis.com", "GOOGLE_OAUTH_BASE_URL", NULL, NULL,
        .credentials = "GOOGLE_WORKSPACE_CLIENT_ID,GOOGLE_WORKSPACE_CLIENT_SECRET" },
    { "google_accounts", "https://accounts.google.com", "GOOGLE_ACCOUNTS_BASE_URL", NULL, NULL },
    { "google_apis", "https://www.googleapis.com", "GOOGLE_APIS_BASE_URL", NULL, NULL },
    { "gmail", "https://gmail.googleapis.com", "GMAIL_BASE_URL", NULL, NULL },
    { "google_docs", "https://docs.googleapis.com", "GOOGLE_DOCS_BASE_URL", NULL, NULL },
    { "google_sheets", "https://sheets.googleapis.com", "GOOGLE_SHEETS_BASE_URL", NULL, NULL },
    { "microsoft_login", "https://login.microsoftonline.com", "MICROSOFT_LOGIN_BASE_URL", NULL, NULL,
        .credentials = "MICROSOFT_CLIENT_ID,MICROSOFT_CLIENT_SECRET" },
    { "microsoft_graph", "https://graph.microsoft.com", "MICROSOFT_GRAPH_BASE_URL", NULL, NULL },
    { "meta_graph", "https://graph.facebook.com", "META_GRAPH_BASE_URL", NULL, NULL,
        .credentials = "META_APP_ID,META_APP_SECRET" },
    { "meta_dialog", "https://www.facebook.com", "META_DIALOG_BASE_URL", NULL, NULL },
    { "linkedin_oauth", "https://www.linkedin.com", "LINKEDIN_OAUTH_BASE_URL", NULL, NULL,
        .credentials = "LINKEDIN_CLIENT_ID,LINKEDIN_CLIENT_SECRET" },
    { "linkedin_api", "https://api.linkedin.com", "LINKEDIN_API_BASE_URL", NULL, NULL },
    { "linkedin_upload", NULL, "LINKEDIN_UPLOAD_BASE_URL", NULL, NULL, .url_host = "linkedin.com" },
    { "zoom", "https://zoom.us", "ZOOM_BASE_URL", NULL, NULL,
        .credentials = "ZOOM_CLIENT_ID,ZOOM_CLIENT_SECRET" },
    { "lofty", "https://api.lofty.com", "LOFTY_BASE_URL", NULL, NULL },
    { "followupboss", "https://api.followupboss.com", "FOLLOWUPBOSS_BASE_URL", NULL, NULL },
    { "skyslope", "https://api.skyslope.com", "SKYSLOPE_BASE_URL", NULL, NULL },
    { "document_fetch", NULL, "DOCUMENT_FETCH_BASE_URL", NULL, NULL, .public_urls = true },
    { "rapidapi_market", "https://redfin-com-data.p.rapidapi.com", "RAPIDAPI_MARKET_BASE_URL",
        "RAPIDAPI_MARKET_METRICS_API_KEY", "x-rapidapi-key" },
    { "external_backend", NULL, "EXTERNAL_BACKEND_BASE_URL,EXTERNAL_BACKEND_URL",
        "EXTERNAL_BACKEND_SERVICE_ROLE_KEY", NULL },
    { "object_store", NULL, "STORAGE_S3_ENDPOINT", NULL, NULL },
    { 0 },
};

const struct provider *builtin_provider_find(const char *name)
{
    for (const struct provider *provider = provider_table; provider->name != NULL; provider++)
        if (strcmp(provider->name, name) == 0)
            return provider;
    return NULL;
}

const char *provider_url_variables(const char *name, char buffer[VARIABLE_MAX])
{
    const struct provider *known = builtin_provider_find(name);
    if (known != NULL)
        return known->url_variables;

    snprintf(buffer, VARIABLE_MAX, "%s_BASE_URL", name);
    for (char *at = buffer; *at != '\0'; at++)
        *at = (char)toupper((unsigned char)*at);
    return buffer;
}

const char *variables_first(const char *list, char buffer[VARIABLE_MAX])
{
    snprintf(buffer, VARIABLE_MAX, "%.*s", (int)strcspn(list, ","), list);
    return buffer;
}

const char *variables_get(const char *list, char buffer[VARIABLE_MAX])
{
    while (*list != '\0') {
        const char *value = environment_get(variables_first(list, buffer));
        if (value != NULL)
            return value;
        list += strcspn(list, ",");
        list += *list == ',';
    }
    return NULL;
}
