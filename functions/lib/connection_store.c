/*
 * Connections: writing credentials.
 */
#include "lib/connection.h"

#include "lib/text.h"

void connection_reseal(const struct connection *connection)
{
    edge_ctx *ctx = connection->ctx;
    edge_error error;
    if (!connection->credentials.legacy || !edge_seal_available(ctx))
        return;

    json_t *sealed =
        credentials_seal(ctx, connection->service, connection->user, connection->credentials.values);
    const char *sql = service_is_crm(connection->service)
                          ? "UPDATE crm_connections SET credentials = $2 WHERE id = $1 AND credentials = $3"
                          : "UPDATE external_service_connections SET credentials = $2"
                            " WHERE id = $1 AND credentials = $3";
    if (edge_try_service_query(ctx, &error, sql, edge_uuid(connection->id), edge_json(sealed),
            edge_json(connection->stored)) == NULL)
        edge_log(ctx, EDGE_LOG_WARN, "connection_not_resealed", { "detail", edge_text(error.detail) });
}

/*
 * Of several rows (an alias's beside the canonical one's) the newest stays and is written to; without any, one
 * is inserted. The lock makes that one thing for two calls at once.
 */
void connection_store_key(edge_ctx *ctx, const char *user, const struct service *service,
    const json_t *credentials, const json_t *account)
{
    const char *const names[] = { service->name, service->aliases[0] };
    edge_arg named = edge_texts(names, names[1] != NULL ? 2 : 1);
    json_t *sealed = credentials_seal(ctx, service, user, credentials);
    edge_rows *rows[4];
    edge_service_query_batch(ctx, rows,
        EDGE_SQL("SELECT pg_advisory_xact_lock(hashtextextended('crm:' || $1 || ':' || $2, 0))",
            edge_text(user), edge_text(service->name)),
        EDGE_SQL("DELETE FROM crm_connections"
                 " WHERE user_id = $1 AND provider = ANY($2) AND id <> ("
                 " SELECT id FROM crm_connections WHERE user_id = $1 AND provider = ANY($2)"
                 " ORDER BY updated_at DESC NULLS LAST, id DESC LIMIT 1)",
            edge_text(user), named),
        EDGE_SQL("UPDATE crm_connections SET provider = $3 WHERE user_id = $1 AND provider = ANY($2)",
            edge_text(user), named, edge_text(service->name)),
        EDGE_SQL("INSERT INTO crm_connections AS c (user_id, provider, connection_status, credentials,"
                 " sync_settings)"
                 " SELECT p.id, $2, 'connected', $3, $4 FROM profiles p WHERE p.id = $1"
                 " ON CONFLICT (user_id, provider) DO UPDATE"
                 " SET connection_status = 'connected', credentials = EXCLUDED.credentials,"
                 " sync_settings = CASE WHEN jsonb_typeof(c.sync_settings) = 'object'"
                 " THEN c.sync_settings ELSE '{}' END || EXCLUDED.sync_settings"
                 " RETURNING id",
            edge_text(user), edge_text(service->name), edge_json(sealed), edge_json(account)));

    if (edge_rows_count(rows[3]) == 0)
        edge_fail(ctx, 409, "profile_missing", "The user has no profile");
}
