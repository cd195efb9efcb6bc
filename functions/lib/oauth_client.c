/*
 * OAuth client: the authorization URL, and codes and refresh tokens exchanged for grants.
 */
#include "lib/oauth_client.h"

#include <stdlib.h>
#include <string.h>

#include "lib/form.h"
#include "lib/meta.h"
#include "lib/oauth_call.h"

enum {
    TOKEN_MS = 10000,
    ACCESS_TOKEN_MAX = 8192, /* bytes */
};

static const char *joined(edge_ctx *ctx, const char *const *words, const char *separator)
{
    struct text text = { .ctx = ctx };
    for (const char *const *word = words; *word != NULL; word++)
        text_add_format(&text, "%s%s", word == words ? "" : separator, *word);
    return text_value(&text);
}

static const char *tenant(edge_ctx *ctx)
{
    const char *configured = edge_env(ctx, "MICROSOFT_TENANT");
    return edge_url_encode(ctx, configured != NULL ? configured : "common");
}

static const char *challenge(edge_ctx *ctx, const char *verifier)
{
    uint8_t digest[EDGE_SHA256_BYTES];
    edge_sha256(verifier, strlen(verifier), digest);
    return edge_base64url(ctx, digest, sizeof digest);
}

/* What only this provider wants in its authorization URL. */
static void add_extras(struct text *query, const struct service *service)
{
    if (service->provider == SERVICE_GOOGLE) {
        /* Both are needed to get a refresh token every time. */
        form_add(query, "access_type", "offline");
        form_add(query, "prompt", "consent");
        form_add(query, "include_granted_scopes", "true");
    }
    if (service->provider == SERVICE_MICROSOFT) {
        form_add(query, "response_mode", "query");
        form_add(query, "prompt", "select_account");
    }
}

static const char *authorization_page(edge_ctx *ctx, const struct service *service, const char *query)
{
    switch (service->provider) {
    case SERVICE_GOOGLE:
        return edge_provider_url(ctx, "google_accounts", edge_format(ctx, "/o/oauth2/v2/auth?%s", query));
    case SERVICE_MICROSOFT:
        return edge_provider_url(
            ctx, "microsoft_login", edge_format(ctx, "/%s/oauth2/v2.0/authorize?%s", tenant(ctx), query));
    case SERVICE_META:
        return edge_provider_url(
            ctx, "meta_dialog", edge_format(ctx, "/%s/dialog/oauth?%s", meta_version(ctx), query));
    case SERVICE_LINKEDIN:
        return edge_provider_url(ctx, "linkedin_oauth", edge_format(ctx, "/oauth/v2/authorization?%s", query));
    default:
        return edge_provider_url(ctx, "zoom", edge_format(ctx, "/oauth/authorize?%s", query));
    }
}

const char *oauth_authorization_url(
    edge_ctx *ctx, const struct service *service, const struct oauth_request *request)
{
    struct text query = { .ctx = ctx };
    form_add(&query, "client_id", oauth_client_id(ctx, service));
    form_add(&query, "redirect_uri", request->redirect_uri);
    form_add(&query, "response_type", "code");
    form_add(&query, "state", request->state);
    if (request->scopes[0] != NULL) /* Zoom's belong to the app */
        form_add(&query, "scope", joined(ctx, request->scopes, service->provider == SERVICE_META ? "," : " "));
    add_extras(&query, service);
    if (request->verifier != NULL) {
        form_add(&query, "code_challenge", challenge(ctx, request->verifier));
        form_add(&query, "code_challenge_method", "S256");
    }
    return authorization_page(ctx, service, text_value(&query));
}

/* Sends a form to the provider's token endpoint, with our client's credentials where it wants them. */
static edge_reply *post_token(edge_ctx *ctx, const struct service *service, struct text *form)
{
    const char *provider = "google_oauth", *path = "/token", *basic = NULL;
    if (service->provider == SERVICE_MICROSOFT) {
        provider = "microsoft_login";
        path = edge_format(ctx, "/%s/oauth2/v2.0/token", tenant(ctx));
        form_add(form, "scope", joined(ctx, service->scopes, " "));
    } else if (service->provider == SERVICE_LINKEDIN) {
        provider = "linkedin_oauth";
        path = "/oauth/v2/accessToken";
    } else if (service->provider == SERVICE_ZOOM) {
        provider = "zoom";
        path = "/oauth/token";
        basic = oauth_basic(ctx, oauth_client_id(ctx, service), oauth_client_secret(ctx, service));
    }
    if (basic == NULL) {
        form_add(form, "client_id", oauth_client_id(ctx, service));
        form_add(form, "client_secret", oauth_client_secret(ctx, service));
    }
    return oauth_post(ctx, provider, path, text_value(form), basic, oauth_timeout_ms(ctx, TOKEN_MS));
}

/* Meta's token endpoint is a GET, everything in its query. */
static edge_reply *get_meta_token(edge_ctx *ctx, const struct service *service, struct text *query)
{
    form_add(query, "client_id", oauth_client_id(ctx, service));
    form_add(query, "client_secret", oauth_client_secret(ctx, service));
    return oauth_get(ctx, "meta_graph",
        edge_format(ctx, "/%s/oauth/access_token?%s", meta_version(ctx), text_value(query)), NULL,
        oauth_timeout_ms(ctx, TOKEN_MS));
}

static edge_reply *get_meta_long_lived(edge_ctx *ctx, const struct service *service, const char *token)
{
    struct text query = { .ctx = ctx };
    form_add(&query, "grant_type", "fb_exchange_token");
    form_add(&query, "fb_exchange_token", token);
    return get_meta_token(ctx, service, &query);
}

/* Instant so many seconds from now that a member says, a number or a numeric string; 0 without one. */
static int64_t instant_after(const json_t *body, const char *name)
{
    const json_t *value = json_object_get(body, name);
    int64_t seconds = (int64_t)json_number_value(value);
    if (json_is_string(value))
        seconds = strtoll(json_string_value(value), NULL, 10);
    return seconds > 0 && seconds < INT32_MAX ? edge_now_exact() / 1000000 + seconds : 0;
}

json_t *oauth_scope_list(edge_ctx *ctx, const char *text)
{
    json_t *list = json_array();
    for (size_t length; *(text += strspn(text, " ,")) != '\0'; text += length) {
        length = strcspn(text, " ,");
        json_array_append_new(list, json_string(edge_copy_bytes(ctx, text, length)));
    }
    return list;
}

static struct oauth_grant *grant_of(edge_ctx *ctx, const struct service *service, const edge_reply *reply)
{
    struct oauth_grant *grant = edge_alloc(ctx, sizeof *grant);
    const char *token = edge_json_text(reply->json, "access_token"),
               *scope = edge_json_text(reply->json, "scope");
    if (token == NULL || token[0] == '\0' || strlen(token) > ACCESS_TOKEN_MAX) {
        grant->failure = oauth_unusable(ctx, service, "token");
        return grant;
    }
    const char *type = edge_json_text(reply->json, "token_type");
    grant->access_token = token;
    grant->refresh_token = edge_json_text(reply->json, "refresh_token");
    if (grant->refresh_token != NULL && grant->refresh_token[0] == '\0')
        grant->refresh_token = NULL;
    grant->token_type = type != NULL ? type : "Bearer";
    grant->expires_at = instant_after(reply->json, "expires_in");
    grant->refresh_expires_at = instant_after(reply->json, "refresh_token_expires_in");
    json_t *scopes = scope != NULL ? oauth_scope_list(ctx, scope) : NULL;
    grant->scopes = json_array_size(scopes) > 0 ? scopes : NULL;
    return grant;
}

static struct oauth_grant *refusal(edge_ctx *ctx, const struct connection_failure *failure, bool refused)
{
    struct oauth_grant *grant = edge_alloc(ctx, sizeof *grant);
    grant->failure = failure;
    grant->refused = refused;
    return grant;
}

static const struct oauth_grant *exchange_meta(
    edge_ctx *ctx, const struct service *service, const char *code, const char *redirect_uri)
{
    struct text query = { .ctx = ctx };
    form_add(&query, "redirect_uri", redirect_uri);
    form_add(&query, "code", code);
    edge_reply *reply = get_meta_token(ctx, service, &query);
    const struct connection_failure *failure = oauth_code_failure(ctx, service, reply);
    if (failure != NULL)
        return refusal(ctx, failure, false);
    struct oauth_grant *short_lived = grant_of(ctx, service, reply);
    if (short_lived->failure != NULL)
        return short_lived;

    reply = get_meta_long_lived(ctx, service, short_lived->access_token);
    failure = oauth_failure(ctx, service, "long_lived_token", reply);
    return failure != NULL ? refusal(ctx, failure, false) : grant_of(ctx, service, reply);
}

const struct oauth_grant *oauth_exchange(edge_ctx *ctx, const struct service *service, const char *code,
    const char *redirect_uri, const char *verifier)
{
    if (service->provider == SERVICE_META)
        return exchange_meta(ctx, service, code, redirect_uri);

    struct text form = { .ctx = ctx };
    form_add(&form, "grant_type", "authorization_code");
    form_add(&form, "code", code);
    form_add(&form, "redirect_uri", redirect_uri);
    form_add(&form, "code_verifier", verifier);
    edge_reply *reply = post_token(ctx, service, &form);
    const struct connection_failure *failure = oauth_code_failure(ctx, service, reply);
    return failure != NULL ? refusal(ctx, failure, false) : grant_of(ctx, service, reply);
}

const struct oauth_grant *oauth_refresh(edge_ctx *ctx, const struct service *service, const json_t *credentials)
{
    edge_reply *reply;
    if (service->provider == SERVICE_META) {
        reply = get_meta_long_lived(ctx, service, edge_json_text(credentials, "access_token"));
    } else {
        struct text form = { .ctx = ctx };
        form_add(&form, "grant_type", "refresh_token");
        form_add(&form, "refresh_token", edge_json_text(credentials, "refresh_token"));
        reply = post_token(ctx, service, &form);
    }
    const struct connection_failure *failure = oauth_failure(ctx, service, "refresh", reply);
    if (failure != NULL)
        return refusal(ctx, failure, oauth_refuses_grant(ctx, service, reply));
    return grant_of(ctx, service, reply);
}
