/*
 * Revoking grants.
 */
#include "lib/revocation.h"

#include <string.h>

#include "lib/form.h"
#include "lib/meta.h"
#include "lib/oauth_call.h"

enum {
    REVOKE_MS = 5000,
    SHARED_MAX = 3, /* scopes that only one of Meta's two services needs */
    SOON_SECONDS = 30,
};

const char *const revocation_outcomes[] = { "revoked", "already_invalid", "not_supported", "kept_shared_grant",
    "nothing_to_revoke", "failed", NULL };

static bool succeeded(const edge_reply *reply)
{
    return reply->failure == EDGE_HTTP_OK && reply->status >= 200 && reply->status < 300;
}

static const char *failed(edge_ctx *ctx, const struct service *service, const edge_reply *reply)
{
    edge_log(ctx, EDGE_LOG_WARN, "oauth_revocation_failed", { "service", edge_text(service->name) },
        { "status", edge_int(reply->status) }, { "error", edge_text(oauth_error_code(ctx, reply)) });
    return "failed";
}

static const char *revoke_google(edge_ctx *ctx, const struct revocation *revocation)
{
    const char *token = edge_json_text(revocation->credentials, "refresh_token");
    struct text form = { .ctx = ctx };
    form_add(&form, "token", token != NULL ? token : edge_json_text(revocation->credentials, "access_token"));
    edge_reply *reply =
        oauth_post(ctx, "google_oauth", "/revoke", text_value(&form), NULL, oauth_timeout_ms(ctx, REVOKE_MS));
    if (succeeded(reply))
        return "revoked";
    if (reply->status == 400 && strcmp(oauth_error_code(ctx, reply), "invalid_token") == 0)
        return "already_invalid";
    return failed(ctx, revocation->service, reply);
}

/* Zoom revokes access tokens that still live: one that does not is renewed for it, and kept nowhere. */
static const char *revoke_zoom(edge_ctx *ctx, const struct revocation *revocation)
{
    const struct service *service = revocation->service;
    const char *token = edge_json_text(revocation->credentials, "access_token");
    int64_t expires_at = edge_json_int(revocation->credentials, "expires_at", INT64_MAX);
    if (expires_at <= edge_now_exact() / 1000000 + SOON_SECONDS &&
        edge_json_text(revocation->credentials, "refresh_token") != NULL) {
        const struct oauth_grant *grant = oauth_refresh(ctx, service, revocation->credentials);
        if (grant->failure != NULL)
            return grant->refused ? "already_invalid" : "failed";
        token = grant->access_token;
    }
    struct text form = { .ctx = ctx };
    form_add(&form, "token", token);
    edge_reply *reply = oauth_post(ctx, "zoom", "/oauth/revoke", text_value(&form),
        oauth_basic(ctx, oauth_client_id(ctx, service), oauth_client_secret(ctx, service)),
        oauth_timeout_ms(ctx, REVOKE_MS));
    return succeeded(reply) ? "revoked" : failed(ctx, service, reply);
}

static const char *revoke_linkedin(edge_ctx *ctx, const struct revocation *revocation)
{
    const struct service *service = revocation->service;
    struct text form = { .ctx = ctx };
    form_add(&form, "client_id", oauth_client_id(ctx, service));
    form_add(&form, "client_secret", oauth_client_secret(ctx, service));
    form_add(&form, "token", edge_json_text(revocation->credentials, "access_token"));
    edge_reply *reply = oauth_post(
        ctx, "linkedin_oauth", "/oauth/v2/revoke", text_value(&form), NULL, oauth_timeout_ms(ctx, REVOKE_MS));
    return succeeded(reply) ? "revoked" : failed(ctx, service, reply);
}

/* Facebook and Instagram share one grant of Meta's: while the sibling uses it, only this one's scopes go. */
static bool is_shared(edge_ctx *ctx, const struct revocation *revocation)
{
    bool facebook = strcmp(revocation->service->name, "facebook") == 0;
    if (revocation->account_id == NULL)
        return false;
    edge_rows *sibling = edge_service_query(ctx,
        "SELECT FROM external_service_connections"
        " WHERE user_id = $1 AND service_name = $2 AND connection_status = 'connected'"
        " AND settings->>'account_id' = $3",
        edge_text(revocation->user), edge_text(facebook ? "instagram" : "facebook"),
        edge_text(revocation->account_id));
    return edge_rows_count(sibling) > 0;
}

static const char *permissions_path(edge_ctx *ctx, const char *token, const char *permission)
{
    struct text query = { .ctx = ctx };
    form_add(&query, "access_token", token);
    form_add(&query, "appsecret_proof", meta_proof(ctx, token));
    return edge_format(ctx, "/%s/me/permissions%s%s?%s", meta_version(ctx), permission[0] != '\0' ? "/" : "",
        permission, text_value(&query));
}

static void drop_own_scopes(edge_ctx *ctx, const struct revocation *revocation, const char *token)
{
    static const char *const facebook[] = { "pages_manage_posts", "read_insights" };
    static const char *const instagram[] = { "instagram_basic", "instagram_content_publish",
        "instagram_manage_insights" };
    bool is_facebook = strcmp(revocation->service->name, "facebook") == 0;
    const char *const *scopes = is_facebook ? facebook : instagram;
    size_t count = is_facebook ? 2 : 3;

    edge_fetch_options options[SHARED_MAX];
    edge_call calls[SHARED_MAX];
    edge_reply *replies[SHARED_MAX];
    for (size_t i = 0; i < count; i++) {
        options[i] = (edge_fetch_options){ .method = "DELETE",
            .path = permissions_path(ctx, token, scopes[i]),
            .timeout_ms = oauth_timeout_ms(ctx, REVOKE_MS),
            .retries = -1 };
        calls[i] = (edge_call){ "meta_graph", &options[i] };
    }
    edge_fetch_calls(ctx, replies, calls, count);
    for (size_t i = 0; i < count; i++)
        if (!succeeded(replies[i]))
            failed(ctx, revocation->service, replies[i]);
}

static const char *revoke_meta(edge_ctx *ctx, const struct revocation *revocation)
{
    const char *token = edge_json_text(revocation->credentials, "access_token");
    if (is_shared(ctx, revocation)) {
        drop_own_scopes(ctx, revocation, token);
        return "kept_shared_grant";
    }
    edge_reply *reply =
        edge_try_fetch(ctx, "meta_graph", .method = "DELETE", .path = permissions_path(ctx, token, ""),
            .timeout_ms = oauth_timeout_ms(ctx, REVOKE_MS), .retries = -1);
    if (succeeded(reply) && edge_json_bool(reply->json, "success", false))
        return "revoked";
    return meta_error_code(reply) == META_BAD_TOKEN ? "already_invalid"
                                                    : failed(ctx, revocation->service, reply);
}

const char *revoke(edge_ctx *ctx, const struct revocation *revocation)
{
    enum service_provider provider = revocation->service->provider;
    if (revocation->credentials == NULL)
        return "nothing_to_revoke";
    if (provider == SERVICE_KEY || provider == SERVICE_MICROSOFT)
        return "not_supported"; /* Microsoft has no revocation of one application's grant */
    if (edge_json_text(revocation->credentials, "access_token") == NULL)
        return "failed";
    if (!oauth_client_is_configured(ctx, revocation->service))
        return "failed";
    switch (provider) {
    case SERVICE_GOOGLE:
        return revoke_google(ctx, revocation);
    case SERVICE_META:
        return revoke_meta(ctx, revocation);
    case SERVICE_LINKEDIN:
        return revoke_linkedin(ctx, revocation);
    default:
        return revoke_zoom(ctx, revocation);
    }
}
