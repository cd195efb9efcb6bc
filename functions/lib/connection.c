/*
 * Connections: reading and judging rows.
 */
#include "lib/connection.h"

#include <string.h>

const char *const connection_statuses[] = { "disconnected", "pending", "connected", "error", NULL };

static const struct connection_failure *failure_of(
    edge_ctx *ctx, const char *code, const char *message, const char *suggestion)
{
    struct connection_failure *failure = edge_alloc(ctx, sizeof *failure);
    *failure = (struct connection_failure){ 409, code, { .message = message, .suggestion = suggestion } };
    return failure;
}

const struct connection_failure *connection_missing(edge_ctx *ctx, const struct service *service)
{
    return failure_of(ctx, "not_connected", edge_format(ctx, "%s is not connected", service->label),
        edge_format(ctx, "Connect %s in Settings > Integrations", service->label));
}

const struct connection_failure *connection_broken(edge_ctx *ctx, const struct service *service)
{
    return failure_of(ctx, "reconnect_required",
        edge_format(ctx, "%s has to be connected again", service->label),
        edge_format(ctx, "Reconnect %s in Settings > Integrations", service->label));
}

void connection_fail(edge_ctx *ctx, const struct connection_failure *failure)
{
    edge_fail_as(ctx, failure->status, failure->code, &failure->said);
}

static edge_rows *read_row(edge_ctx *ctx, const char *user, const struct service *service)
{
    if (!service_is_crm(service))
        return edge_service_query(ctx,
            "SELECT id, connection_status, settings, credentials"
            " FROM external_service_connections"
            " WHERE user_id = $1 AND service_name = $2",
            edge_text(user), edge_text(service->name));

    /* Rows of the system before this one may stand under an alias. */
    const char *alias = service->aliases[0];
    const char *const names[] = { service->name, alias };
    return edge_service_query(ctx,
        "SELECT id, connection_status, sync_settings AS settings, credentials"
        " FROM crm_connections"
        " WHERE user_id = $1 AND provider = ANY($2)"
        " ORDER BY (connection_status = 'connected') DESC NULLS LAST, updated_at DESC, id DESC"
        " LIMIT 1",
        edge_text(user), edge_texts(names, alias != NULL ? 2 : 1));
}

/* The row, if nobody has written other credentials to it meanwhile. */
static void make_error(const struct connection *connection, const char *reason)
{
    edge_ctx *ctx = connection->ctx;
    if (service_is_crm(connection->service)) {
        edge_service_query(ctx,
            "UPDATE crm_connections SET connection_status = 'error'"
            " WHERE id = $1 AND connection_status = 'connected' AND credentials IS NOT DISTINCT FROM $2",
            edge_uuid(connection->id), edge_json(connection->stored));
        return;
    }
    edge_service_query(ctx,
        "UPDATE external_service_connections"
        " SET connection_status = 'error', settings = coalesce(settings, '{}') || $3"
        " WHERE id = $1 AND connection_status = 'connected' AND credentials IS NOT DISTINCT FROM $2",
        edge_uuid(connection->id), edge_json(connection->stored),
        edge_json(json_pack(
            "{s:s, s:s}", "last_error", reason, "last_error_at", edge_iso_time(ctx, edge_now_exact()))));
}

void connection_break(const struct connection *connection)
{
    make_error(connection, "reconnect_required");
}

static void judge(struct connection *connection)
{
    edge_ctx *ctx = connection->ctx;
    const struct service *service = connection->service;
    if (connection->status != NULL && strcmp(connection->status, "error") == 0) {
        connection->failure = connection_broken(ctx, service);
        return;
    }
    if (connection->status == NULL || strcmp(connection->status, "connected") != 0) {
        connection->failure = connection_missing(ctx, service);
        return;
    }
    connection->credentials = credentials_open(ctx, service, connection->user, connection->stored);
    if (connection->credentials.state == CREDENTIALS_NONE)
        connection->failure = connection_missing(ctx, service);
    if (connection->credentials.state == CREDENTIALS_UNREADABLE) {
        make_error(connection, "credential_unreadable");
        edge_log(ctx, EDGE_LOG_WARN, "connection_unreadable", { "service", edge_text(service->name) },
            { "connection", edge_text(connection->id) });
        connection->failure = connection_broken(ctx, service);
    }
}

const struct connection *connection_read(edge_ctx *ctx, const char *user, const char *name)
{
    const struct service *service = service_named(ctx, name);
    struct connection *connection = edge_alloc(ctx, sizeof *connection);
    *connection =
        (struct connection){ .ctx = ctx, .service = service, .user = user, .settings = json_object() };

    edge_rows *row = read_row(ctx, user, service);
    if (edge_rows_count(row) > 0) {
        connection->id = edge_rows_text(row, 0, "id");
        connection->status = edge_rows_text(row, 0, "connection_status");
        connection->stored = edge_rows_value(row, 0, "credentials");
        json_t *settings = edge_rows_value(row, 0, "settings");
        if (json_is_object(settings))
            connection->settings = settings;
    }
    judge(connection);
    return connection;
}

void connection_save_settings(const struct connection *connection, const json_t *patch)
{
    if (service_is_crm(connection->service))
        edge_service_query(connection->ctx,
            "UPDATE crm_connections SET sync_settings = coalesce(sync_settings, '{}') || $2 WHERE id = $1",
            edge_uuid(connection->id), edge_json(patch));
    else
        edge_service_query(connection->ctx,
            "UPDATE external_service_connections SET settings = coalesce(settings, '{}') || $2 WHERE id = $1",
            edge_uuid(connection->id), edge_json(patch));
}
