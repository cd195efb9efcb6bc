/*
 * Grants as they are stored.
 */
#include "lib/token_keep.h"

#include "lib/oauth_call.h"
#include "lib/text.h"

static json_t *text_or_null(const char *text)
{
    return text != NULL ? json_string(text) : json_null();
}

static json_t *instant_or_null(int64_t seconds)
{
    return seconds != 0 ? json_integer(seconds) : json_null();
}

static const char *scope_text(edge_ctx *ctx, const json_t *scopes)
{
    struct text text = { .ctx = ctx };
    size_t i;
    json_t *scope;
    json_array_foreach((json_t *)scopes, i, scope)
        text_add_format(&text, "%s%s", i > 0 ? " " : "", json_string_value(scope));
    return text_value(&text);
}

json_t *token_credentials(edge_ctx *ctx, const struct oauth_grant *grant, const json_t *kept)
{
    const char *refresh =
        grant->refresh_token != NULL ? grant->refresh_token : edge_json_text(kept, "refresh_token");
    int64_t refresh_expires_at = grant->refresh_expires_at;
    if (refresh_expires_at == 0 && grant->refresh_token == NULL)
        refresh_expires_at = edge_json_int(kept, "refresh_expires_at", 0);

    json_t *values = kept != NULL ? json_deep_copy(kept) : json_object();
    json_object_set_new(values, "access_token", json_string(grant->access_token));
    json_object_set_new(values, "refresh_token", text_or_null(refresh));
    json_object_set_new(values, "token_type", json_string(grant->token_type));
    json_object_set_new(values, "expires_at", instant_or_null(grant->expires_at));
    json_object_set_new(values, "refresh_expires_at", instant_or_null(refresh_expires_at));
    json_object_set_new(values, "obtained_at", json_integer(edge_now_exact() / 1000000));
    if (kept == NULL || edge_json_text(kept, "scope") == NULL)
        json_object_set_new(values, "scope", json_string(scope_text(ctx, grant->scopes)));
    if (json_object_get(values, "provider_account_id") == NULL)
        json_object_set_new(values, "provider_account_id", json_null());
    return values;
}

void token_keep(const struct connection *connection, const struct oauth_grant *grant)
{
    edge_ctx *ctx = connection->ctx;
    json_t *values = token_credentials(ctx, grant, connection->credentials.values);
    json_t *sealed = credentials_seal(ctx, connection->service, connection->user, values);
    edge_service_query(ctx,
        "UPDATE external_service_connections SET credentials = $2"
        " WHERE id = $1 AND connection_status = 'connected' AND credentials = $3",
        edge_uuid(connection->id), edge_json(sealed), edge_json(connection->stored));
}

json_t *token_scopes(const struct connection *connection)
{
    const char *scope = edge_json_text(connection->credentials.values, "scope");
    json_t *listed = json_object_get(connection->settings, "scopes");
    if (scope != NULL)
        return oauth_scope_list(connection->ctx, scope);
    return json_is_array(listed) ? listed : json_array();
}
