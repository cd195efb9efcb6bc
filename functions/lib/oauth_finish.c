/*
 * Connecting an account: the answer.
 */
#include <string.h>

#include "lib/oauth_flow_parts.h"
#include "lib/revocation.h"

EDGE_NORETURN static void refuse_field(edge_ctx *ctx, const char *prefix, const char *name)
{
    const char *field = edge_format(ctx, "%s%s", prefix, name);
    edge_fail_with(
        ctx, 400, "invalid_input", .message = edge_format(ctx, "%s is required", field), .field = field);
}

static const char *text_of(const json_t *body, const char *name)
{
    const char *text = edge_json_text(body, name);
    return text != NULL && text[0] != '\0' ? text : NULL;
}

static void check_body(edge_ctx *ctx, const json_t *body, const char *prefix)
{
    if (text_of(body, "code") == NULL && text_of(body, "error") == NULL)
        refuse_field(ctx, prefix, "code");
    if (text_of(body, "state") == NULL)
        refuse_field(ctx, prefix, "state");
}

/* The path that came along in the state; what is none counts as no path. */
static const char *path_in(edge_ctx *ctx, const char *state)
{
    const char *dot = strchr(state, '.');
    size_t length = 0;
    const char *path = dot != NULL ? (const char *)edge_base64url_decode(ctx, dot + 1, &length) : NULL;
    if (path == NULL || length == 0)
        return NULL;
    path = edge_copy_bytes(ctx, path, length);
    return strlen(path) == length && oauth_path_is_local(path) ? path : NULL;
}

static bool serves(const char *const *services, const char *name)
{
    for (; *services != NULL; services++)
        if (strcmp(*services, name) == 0)
            return true;
    return false;
}

/* Takes the state: whoever deletes the row has it. Sign-in links live in the same table and are none of ours.
 */
static struct oauth_callback consume(edge_ctx *ctx, const char *state, const char *const *services)
{
    edge_rows *row = edge_service_query(ctx,
        "DELETE FROM edge.oauth_states"
        " WHERE state = $1 AND service_name <> 'sso'"
        " RETURNING user_id, service_name, code_verifier, redirect_uri, expires_at <= now() AS expired",
        edge_text(state));
    const char *user = edge_auth_user(ctx);

    if (edge_rows_count(row) == 0)
        edge_fail(ctx, 400, "invalid_state", "The sign-in is not known or has been used");
    if (strcmp(edge_rows_text(row, 0, "user_id"), user) != 0)
        edge_fail(ctx, 403, "user_mismatch", "The sign-in was begun by another user");
    if (!serves(services, edge_rows_text(row, 0, "service_name")))
        edge_fail(ctx, 400, "invalid_state", "The sign-in is for another service");
    if (edge_rows_bool(row, 0, "expired"))
        edge_fail(ctx, 400, "state_expired", "The sign-in took longer than 10 minutes");
    return (struct oauth_callback){
        .ctx = ctx,
        .user = user,
        .service = service_named(ctx, edge_rows_text(row, 0, "service_name")),
        .redirect_uri = edge_rows_text(row, 0, "redirect_uri"),
        .verifier = edge_rows_text(row, 0, "code_verifier"),
        .redirect_path = path_in(ctx, state),
        .warnings = json_array(),
    };
}

static bool is_denial(const char *error)
{
    static const char *const denials[] = { "access_denied", "user_cancelled_login", "user_cancelled_authorize",
        "user_denied" };
    for (size_t i = 0; i < sizeof denials / sizeof *denials; i++)
        if (strcmp(denials[i], error) == 0)
            return true;
    return false;
}

EDGE_NORETURN static void refused(const struct oauth_callback *callback, const char *error)
{
    edge_ctx *ctx = callback->ctx;
    const char *label = callback->service->label;
    if (!is_denial(error))
        edge_fail(ctx, 502, "provider_error", "%s ended the sign-in with an error", label);
    edge_service_query(ctx,
        "UPDATE external_service_connections SET connection_status = 'disconnected'"
        " WHERE user_id = $1 AND service_name = $2 AND connection_status = 'pending'",
        edge_text(callback->user), edge_text(callback->service->name));
    edge_fail(ctx, 400, "access_denied", "Access to %s was not allowed", label);
}

void oauth_callback_fail(const struct oauth_callback *callback, const struct connection_failure *failure)
{
    edge_ctx *ctx = callback->ctx;
    edge_service_query(ctx,
        "UPDATE external_service_connections"
        " SET connection_status = 'error',"
        " settings = CASE WHEN jsonb_typeof(settings) = 'object' THEN settings ELSE '{}' END || $3"
        " WHERE user_id = $1 AND service_name = $2 AND connection_status = 'pending'",
        edge_text(callback->user), edge_text(callback->service->name),
        edge_json(json_pack(
            "{s:s, s:s}", "last_error", failure->code, "last_error_at", edge_iso_time(ctx, edge_now_exact()))));
    connection_fail(ctx, failure);
}

static void identify_meta(struct oauth_callback *callback)
{
    edge_ctx *ctx = callback->ctx;
    callback->meta = meta_read(ctx, callback->service, callback->grant->access_token);
    if (callback->meta->failure != NULL)
        oauth_callback_fail(callback, callback->meta->failure);
    callback->account_id = callback->meta->id;
    callback->name = callback->meta->name;
}

/* Google and Microsoft are worth having without a name; LinkedIn cannot post without the member's id. */
static void identify(struct oauth_callback *callback)
{
    enum service_provider provider = callback->service->provider;
    if (provider == SERVICE_ZOOM)
        return;
    if (provider == SERVICE_META) {
        identify_meta(callback);
        return;
    }
    const struct oauth_identity *identity =
        oauth_identify(callback->ctx, callback->service, callback->grant->access_token);
    if (identity->failure != NULL && provider == SERVICE_LINKEDIN)
        oauth_callback_fail(callback, identity->failure);
    if (identity->failure != NULL)
        json_array_append_new(callback->warnings, json_string("profile_unavailable"));
    callback->account_id = identity->account_id;
    callback->email = identity->email;
    callback->name = identity->name;
}

/* An Instagram account can be reached through a Page only. */
static void check_pages(struct oauth_callback *callback)
{
    if (callback->meta == NULL)
        return;
    bool linked = false;
    for (size_t i = 0; i < callback->meta->page_count; i++)
        linked = linked || callback->meta->pages[i].instagram_id != NULL;
    bool instagram = strcmp(callback->service->name, "instagram") == 0;
    if (instagram && !linked)
        oauth_callback_fail(callback, meta_no_instagram(callback->ctx));
    if (!instagram && callback->meta->page_count == 0)
        json_array_append_new(callback->warnings, json_string("no_page"));
}

static json_t *text_or_null(const char *text)
{
    return text != NULL ? json_string(text) : json_null();
}

static json_t *answer(const struct oauth_callback *callback)
{
    json_t *body = json_pack("{s:b, s:s, s:s?, s:s?, s:O, s:O, s:O, s:s?}", "success", 1, "service",
        callback->service->name, "accountEmail", callback->email, "accountName", callback->name, "scopes",
        callback->scopes, "missingScopes", callback->missing_scopes, "warnings", callback->warnings,
        "redirectPath", callback->redirect_path);
    if (callback->meta == NULL)
        return body;
    const struct meta_page *page = callback->page;
    const json_t *settings = meta_page_settings(callback->service, callback->meta, page);
    json_object_set_new(body, "pageId", text_or_null(page != NULL ? page->id : NULL));
    json_object_set_new(body, "pageName", text_or_null(page != NULL ? page->name : NULL));
    json_object_set(body, "pages", json_object_get(settings, "pages"));
    if (strcmp(callback->service->name, "instagram") == 0)
        json_object_set_new(body, "instagramAccountId", text_or_null(page != NULL ? page->instagram_id : NULL));
    return body;
}

/* 503 before the state is consumed: an operator's mistake must not cost the user the flow. */
static void check_configuration(edge_ctx *ctx, const char *const *services)
{
    oauth_require_client(ctx, service_named(ctx, services[0]));
    oauth_app_url(ctx);
    edge_seal_require(ctx);
}

json_t *oauth_finish(edge_ctx *ctx, const json_t *body, const char *prefix, const char *const *services)
{
    oauth_no_store(ctx);
    check_body(ctx, body, prefix);
    check_configuration(ctx, services);
    struct oauth_callback callback = consume(ctx, text_of(body, "state"), services);
    if (text_of(body, "error") != NULL)
        refused(&callback, text_of(body, "error"));

    callback.grant =
        oauth_exchange(ctx, callback.service, text_of(body, "code"), callback.redirect_uri, callback.verifier);
    if (callback.grant->failure != NULL)
        oauth_callback_fail(&callback, callback.grant->failure);
    identify(&callback);
    oauth_check_scopes(&callback);
    check_pages(&callback);
    oauth_store(&callback);
    if (callback.replaced != NULL)
        revoke(ctx, &(const struct revocation){
                        callback.service, callback.user, callback.replaced, callback.replaced_account });
    return answer(&callback);
}
