/*
 * The catalogue of services. No PKCE for Meta, whose code flow with an app secret has none, and for LinkedIn,
 * which answers 401 when a confidential client sends a code_verifier.
 */
#include "lib/service.h"

#include <string.h>

static const char *const none[] = { NULL };

static const char *const google_scopes[] = { "openid", "email", SERVICE_CALENDAR_SCOPE,
    "https://www.googleapis.com/auth/gmail.send", "https://www.googleapis.com/auth/gmail.readonly",
    "https://www.googleapis.com/auth/drive.file", NULL };

const char *const service_calendar_scopes[] = { "openid", "email", SERVICE_CALENDAR_SCOPE, NULL };

static const char *const microsoft_scopes[] = { "offline_access", "User.Read", "Mail.Send", "Mail.ReadWrite",
    "Calendars.ReadWrite", NULL };

static const char *const facebook_scopes[] = { "pages_show_list", "pages_read_engagement", "pages_manage_posts",
    "read_insights", NULL };

static const char *const instagram_scopes[] = { "instagram_basic", "instagram_content_publish",
    "instagram_manage_insights", "pages_show_list", "pages_read_engagement", NULL };

static const char *const linkedin_scopes[] = { "openid", "profile", "email", "w_member_social", NULL };

static const char *const google_aliases[] = { "google", "google_calendar", NULL };
static const char *const microsoft_aliases[] = { "microsoft", "office365", NULL };
static const char *const follow_up_boss_aliases[] = { "followupboss", NULL };

const char *const service_names[] = { "google_workspace", "microsoft_365", "facebook", "instagram", "linkedin",
    "zoom", "lofty", "follow_up_boss", "skyslope", NULL };

static const struct service services[] = {
    { "google_workspace", "Google Workspace", "google-workspace", SERVICE_GOOGLE, true, google_scopes,
        google_aliases },
    { "microsoft_365", "Microsoft 365", "microsoft", SERVICE_MICROSOFT, true, microsoft_scopes,
        microsoft_aliases },
    { "facebook", "Facebook", "facebook", SERVICE_META, false, facebook_scopes, none },
    { "instagram", "Instagram", "instagram", SERVICE_META, false, instagram_scopes, none },
    { "linkedin", "LinkedIn", "linkedin", SERVICE_LINKEDIN, false, linkedin_scopes, none },
    { "zoom", "Zoom", "zoom", SERVICE_ZOOM, true, none, none },
    { "lofty", "Lofty", NULL, SERVICE_KEY, false, none, none },
    { "follow_up_boss", "Follow Up Boss", NULL, SERVICE_KEY, false, none, follow_up_boss_aliases },
    { "skyslope", "SkySlope", NULL, SERVICE_KEY, false, none, none },
};

static bool is_named(const struct service *service, const char *name)
{
    if (strcmp(service->name, name) == 0)
        return true;
    for (const char *const *alias = service->aliases; *alias != NULL; alias++)
        if (strcmp(*alias, name) == 0)
            return true;
    return false;
}

const struct service *service_find(const char *name)
{
    for (size_t i = 0; name != NULL && i < sizeof services / sizeof *services; i++)
        if (is_named(&services[i], name))
            return &services[i];
    return NULL;
}

const struct service *service_named(edge_ctx *ctx, const char *name)
{
    const struct service *service = service_find(name);
    if (service == NULL)
        edge_fail(ctx, 500, "internal_error", "There is no service \"%s\"", name);
    return service;
}

bool service_is_crm(const struct service *service)
{
    return service->provider == SERVICE_KEY;
}
