/*
 * getIntegrationContext: which outside services a user has connected, for the agents' connections panel. What
 * a connection is made with never leaves the server: of it only whether it still works is told.
 *
 * Two round trips: the rows as the user; their credentials, which no user may read, as the service.
 */
#include <edge/edge.h>

#include <ctype.h>
#include <string.h>

#include "lib/credentials.h"
#include "lib/service.h"

static const edge_field input[] = {
    { "userId", EDGE_USER, .help = "Whose connections; required under the service key" },
    { 0 },
};

static const char *const row_statuses[] = { "connected", NULL };
static const char *const panel_statuses[] = { "connected", "not_connected", NULL };

#define CONNECTION_FIELDS(service, settings)                                                                   \
    { "id", EDGE_UUID, .required = true }, { service, EDGE_TEXT, .required = true, .help = "As stored" },      \
        { "connection_status", EDGE_ENUM, .values = row_statuses, .required = true },                          \
        { settings, EDGE_OBJECT, .help = "By name, without what may be secret" },                              \
        { "last_sync_at", EDGE_DATETIME }, { "created_at", EDGE_DATETIME }, { "updated_at", EDGE_DATETIME },   \
        { "credentials", EDGE_JSON, .help = "Always null" },                                                   \
        { "needsReauth", EDGE_BOOL, .required = true, .help = "Whether the grant has run out" },               \
    {                                                                                                          \
        0                                                                                                      \
    }

static const edge_field external_fields[] = { CONNECTION_FIELDS("service_name", "settings") };
static const edge_field crm_fields[] = { CONNECTION_FIELDS("provider", "sync_settings") };

static const edge_field output[] = {
    { "google_workspace", EDGE_OBJECT, .fields = external_fields, .help = "null: not connected" },
    { "zoom", EDGE_OBJECT, .fields = external_fields, .help = "null: not connected" },
    { "microsoft_365", EDGE_OBJECT, .fields = external_fields, .help = "null: not connected" },
    { "facebook", EDGE_OBJECT, .fields = external_fields, .help = "null: not connected" },
    { "instagram", EDGE_OBJECT, .fields = external_fields, .help = "null: not connected" },
    { "linkedin", EDGE_OBJECT, .fields = external_fields, .help = "null: not connected" },
    { "lofty", EDGE_OBJECT, .fields = crm_fields, .help = "null: not connected" },
    { "follow_up_boss", EDGE_OBJECT, .fields = crm_fields, .help = "null: not connected" },
    { "calendarStatus", EDGE_ENUM, .values = panel_statuses, .required = true, .help = "Google or Microsoft" },
    { "emailStatus", EDGE_ENUM, .values = panel_statuses, .required = true, .help = "Google or Microsoft" },
    { "zoomStatus", EDGE_ENUM, .values = panel_statuses, .required = true },
    { "facebookStatus", EDGE_ENUM, .values = panel_statuses, .required = true },
    { "instagramStatus", EDGE_ENUM, .values = panel_statuses, .required = true },
    { "linkedinStatus", EDGE_ENUM, .values = panel_statuses, .required = true },
    { "crmStatus", EDGE_ENUM, .values = panel_statuses, .required = true, .help = "Lofty or Follow Up Boss" },
    { "connectedCount", EDGE_INT, .min = 0, .max = 8, .required = true, .help = "How many of the eight" },
    { 0 },
};

static const char *const services[] = { "google_workspace", "zoom", "microsoft_365", "facebook", "instagram",
    "linkedin", "lofty", "follow_up_boss" };

/* What the panel reads: connected when one of two services is. */
static const struct status {
    const char *name, *service, *other;
} statuses[] = {
    { "calendarStatus", "google_workspace", "microsoft_365" },
    { "emailStatus", "google_workspace", "microsoft_365" },
    { "zoomStatus", "zoom", NULL },
    { "facebookStatus", "facebook", NULL },
    { "instagramStatus", "instagram", NULL },
    { "linkedinStatus", "linkedin", NULL },
    { "crmStatus", "lofty", "follow_up_boss" },
};

/* Connected rows by table, the best of several first, and the credentials that belong to them. */
struct connections {
    edge_rows *rows[2], *credentials[2];
};

static struct connections read_connections(edge_ctx *ctx)
{
    struct connections found;
    edge_query_batch(ctx, found.rows,
        EDGE_SQL("SELECT id, service_name, connection_status, settings, last_sync_at, created_at, updated_at"
                 " FROM external_service_connections WHERE connection_status = 'connected'"),
        EDGE_SQL("SELECT id, provider, connection_status, sync_settings, last_sync_at, created_at, updated_at"
                 " FROM crm_connections WHERE connection_status = 'connected'"
                 " ORDER BY updated_at DESC NULLS LAST, id"));

    edge_arg user = edge_text(edge_auth_user(ctx));
    edge_service_query_batch(ctx, found.credentials,
        EDGE_SQL("SELECT id, credentials FROM external_service_connections WHERE user_id = $1", user),
        EDGE_SQL("SELECT id, credentials FROM crm_connections WHERE user_id = $1", user));
    return found;
}

/* Whatever may hold a secret, also in rows that other systems wrote. */
static bool is_secret(edge_ctx *ctx, const char *name)
{
    static const char *const parts[] = { "token", "secret", "key", "password", "verifier", "oauth_state" };
    char *lower = edge_copy(ctx, name);
    for (char *c = lower; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (strstr(lower, parts[i]) != NULL)
            return true;
    return false;
}

static void drop_secrets(edge_ctx *ctx, json_t *settings)
{
    const char *name = NULL;
    json_t *value = NULL;
    void *next = NULL;
    json_object_foreach_safe(settings, next, name, value)
    {
        (void)value;
        if (is_secret(ctx, name))
            json_object_del(settings, name);
    }
}

/* Nothing renews a grant that has run out and came without a refresh token, or one that cannot be read. */
static bool needs_reauth(edge_ctx *ctx, const struct service *service, const json_t *stored)
{
    struct credentials credentials = credentials_open(ctx, service, edge_auth_user(ctx), stored);
    if (credentials.state == CREDENTIALS_NONE)
        return false;
    if (credentials.state == CREDENTIALS_UNREADABLE)
        return true;

    double expires_at = edge_json_number(credentials.values, "expires_at", 0);
    const char *refresh_token = edge_json_text(credentials.values, "refresh_token");
    bool renewable = refresh_token != NULL && refresh_token[0] != '\0';
    return expires_at > 0 && expires_at * 1e6 <= (double)edge_now(ctx) && !renewable;
}

static const json_t *credentials_of(const edge_rows *credentials, const char *id)
{
    for (size_t i = 0; i < edge_rows_count(credentials); i++)
        if (strcmp(edge_rows_text(credentials, i, "id"), id) == 0)
            return edge_rows_value(credentials, i, "credentials");
    return NULL;
}

static json_t *describe(
    edge_ctx *ctx, const struct service *service, const struct connections *found, size_t row)
{
    int table = service_is_crm(service);
    json_t *connection = edge_row_json(found->rows[table], row);
    const json_t *stored =
        credentials_of(found->credentials[table], edge_rows_text(found->rows[table], row, "id"));

    drop_secrets(ctx, json_object_get(connection, table ? "sync_settings" : "settings"));
    json_object_set_new(connection, "credentials", json_null());
    json_object_set_new(connection, "needsReauth", json_boolean(needs_reauth(ctx, service, stored)));
    return connection;
}

/* The service's connection, null without one. A table counts for its own services only. */
static json_t *connection_of(edge_ctx *ctx, const char *name, const struct connections *found)
{
    const struct service *service = service_named(ctx, name);
    const edge_rows *rows = found->rows[service_is_crm(service)];
    const char *column = service_is_crm(service) ? "provider" : "service_name";
    for (size_t i = 0; i < edge_rows_count(rows); i++) {
        const char *stored = edge_rows_text(rows, i, column);
        bool old_spelling = service_is_crm(service) && service_find(stored) == service;
        if (strcmp(stored, name) == 0 || old_spelling)
            return describe(ctx, service, found, i);
    }
    return json_null();
}

static bool is_connected(json_t *body, const char *service)
{
    return service != NULL && json_is_object(json_object_get(body, service));
}

static json_t *get_integration_context(edge_ctx *ctx, json_t *in)
{
    (void)in;
    struct connections found = read_connections(ctx);
    json_t *body = json_object();
    json_int_t connected = 0;

    for (size_t i = 0; i < sizeof services / sizeof *services; i++) {
        json_object_set_new(body, services[i], connection_of(ctx, services[i], &found));
        connected += is_connected(body, services[i]);
    }
    for (const struct status *status = statuses; status < statuses + sizeof statuses / sizeof *statuses;
         status++)
        json_object_set_new(body, status->name,
            json_string(is_connected(body, status->service) || is_connected(body, status->other)
                            ? "connected"
                            : "not_connected"));
    json_object_set_new(body, "connectedCount", json_integer(connected));
    return body;
}

EDGE_FUNCTION(getIntegrationContext,
    .summary = "Which outside services a user has connected",
    .input = input,
    .output = output,
    .handle = get_integration_context);
