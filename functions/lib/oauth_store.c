/*
 * Connecting an account: the row.
 */
#include <string.h>

#include "lib/oauth_flow_parts.h"
#include "lib/token_keep.h"

/* What the row was, locked. */
struct before {
    json_t *settings;    /* an object */
    json_t *credentials; /* opened; NULL: none, or unreadable */
};

static struct before read_before(edge_tx *tx, const struct oauth_callback *callback)
{
    edge_rows *row = edge_tx_query(tx,
        "SELECT settings, credentials FROM external_service_connections"
        " WHERE user_id = $1 AND service_name = $2"
        " FOR UPDATE",
        edge_text(callback->user), edge_text(callback->service->name));
    struct before before = { .settings = json_object() };
    if (edge_rows_count(row) == 0)
        return before;
    json_t *settings = edge_rows_value(row, 0, "settings");
    if (json_is_object(settings))
        before.settings = settings;
    before.credentials = credentials_open(
        callback->ctx, callback->service, callback->user, edge_rows_value(row, 0, "credentials"))
                             .values;
    return before;
}

/* The Page or account chosen before, while it is still listed; else the first that will do. */
static const struct meta_page *choose_page(
    const struct meta_account *meta, bool instagram, const json_t *settings)
{
    const struct meta_page *first = NULL, *able = NULL;
    const char *kept = edge_json_text(settings, instagram ? "instagram_account_id" : "page_id");
    for (size_t i = 0; i < meta->page_count; i++) {
        const struct meta_page *page = &meta->pages[i];
        const char *id = instagram ? page->instagram_id : page->id;
        if (id == NULL)
            continue;
        if (kept != NULL && strcmp(id, kept) == 0)
            return page;
        if (first == NULL)
            first = page;
        if (able == NULL && page->can_publish)
            able = page;
    }
    return !instagram && able != NULL ? able : first;
}

static bool is_same_account(const struct oauth_callback *callback, const struct before *before)
{
    const char *account = edge_json_text(before->credentials, "provider_account_id");
    return account != NULL && callback->account_id != NULL && strcmp(account, callback->account_id) == 0;
}

/* A grant without refresh token keeps the one of the same account; the rest of the old credentials goes. */
static json_t *new_credentials(struct oauth_callback *callback, const struct before *before)
{
    const char *kept = edge_json_text(before->credentials, "refresh_token");
    struct oauth_grant grant = *callback->grant;
    enum service_provider provider = callback->service->provider;
    if (grant.refresh_token == NULL && kept != NULL && is_same_account(callback, before)) {
        grant.refresh_token = kept;
        grant.refresh_expires_at = edge_json_int(before->credentials, "refresh_expires_at", 0);
    }
    if (grant.refresh_token == NULL && (provider == SERVICE_GOOGLE || provider == SERVICE_MICROSOFT))
        json_array_append_new(callback->warnings, json_string("no_refresh_token"));
    grant.scopes = callback->scopes;

    json_t *values = token_credentials(callback->ctx, &grant, NULL);
    if (callback->account_id != NULL)
        json_object_set_new(values, "provider_account_id", json_string(callback->account_id));
    if (callback->meta != NULL) {
        const char *page_token = callback->page != NULL ? callback->page->access_token : NULL;
        json_object_set_new(
            values, "page_access_token", page_token != NULL ? json_string(page_token) : json_null());
    }
    return values;
}

static json_t *new_settings(const struct oauth_callback *callback, const struct before *before)
{
    static const char *const over[] = { "oauth_state", "pending", "last_error", "last_error_at",
        "missing_scopes", NULL };
    edge_ctx *ctx = callback->ctx;
    json_t *settings = json_deep_copy(before->settings);
    for (const char *const *name = over; *name != NULL; name++)
        json_object_del(settings, *name);
    json_object_update_new(settings,
        json_pack("{s:s?, s:s?, s:s?, s:O, s:O, s:s}", "account_id", callback->account_id, "account_email",
            callback->email, "account_name", callback->name, "scopes", callback->scopes, "missing_scopes",
            callback->missing_scopes, "connected_at", edge_iso_time(ctx, edge_now_exact())));
    if (callback->service->provider == SERVICE_LINKEDIN)
        json_object_set_new(
            settings, "person_urn", json_string(edge_format(ctx, "urn:li:person:%s", callback->account_id)));
    if (callback->meta != NULL)
        json_object_update_new(settings, meta_page_settings(callback->service, callback->meta, callback->page));
    return settings;
}

/* Another account's credentials, when it is known whose: they are to be revoked. */
static void note_replaced(struct oauth_callback *callback, const struct before *before)
{
    const char *account = edge_json_text(before->credentials, "provider_account_id");
    if (account == NULL || callback->account_id == NULL || is_same_account(callback, before))
        return;
    callback->replaced = before->credentials;
    callback->replaced_account = account;
}

void oauth_store(struct oauth_callback *callback)
{
    edge_ctx *ctx = callback->ctx;
    EDGE_TRANSACTION(ctx, tx, .service = true)
    {
        struct before before = read_before(tx, callback);
        if (callback->meta != NULL)
            callback->page =
                choose_page(callback->meta, strcmp(callback->service->name, "instagram") == 0, before.settings);
        json_t *sealed =
            credentials_seal(ctx, callback->service, callback->user, new_credentials(callback, &before));
        edge_tx_send(tx,
            "INSERT INTO external_service_connections"
            " (user_id, service_name, connection_status, credentials, settings, last_sync_at)"
            " VALUES ($1, $2, 'connected', $3, $4, now())"
            " ON CONFLICT (user_id, service_name) DO UPDATE"
            " SET connection_status = 'connected', credentials = EXCLUDED.credentials,"
            " settings = EXCLUDED.settings, last_sync_at = EXCLUDED.last_sync_at",
            edge_text(callback->user), edge_text(callback->service->name), edge_json(sealed),
            edge_json(new_settings(callback, &before)));
        note_replaced(callback, &before);
    }
}
