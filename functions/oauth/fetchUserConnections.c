/*
 * fetchUserConnections: the user's connections, without anything that opens them. One round trip as the user,
 * whose row security shows own rows only; credentials are not among the columns, and settings are reduced to
 * known members.
 */
#include <edge/edge.h>

#include <string.h>
#include <strings.h>

#include "lib/connection.h"
#include "lib/meta.h"
#include "lib/service.h"

static const char *const kinds[] = { "crm", "external", NULL };

static const edge_field input[] = {
    { "userId", EDGE_USER, .help = "The caller's own id, or absent" },
    { "kind", EDGE_ENUM, .values = kinds, .help = "Only connections of this kind" },
    { "service", EDGE_TEXT, .help = "Only connections of this service; an alias will do" },
    { 0 },
};

static const edge_field text_item = { .type = EDGE_TEXT };

static const edge_field settings_fields[] = {
    { "account_id", EDGE_TEXT, .help = "At the provider" },
    { "account_email", EDGE_TEXT, .help = "Its address" },
    { "account_name", EDGE_TEXT, .help = "Whose account it is" },
    { "scopes", EDGE_ARRAY, .items = &text_item, .help = "Permissions that were given" },
    { "missing_scopes", EDGE_ARRAY, .items = &text_item, .help = "Permissions that were not" },
    { "connected_at", EDGE_DATETIME, .help = "When it was connected" },
    { "person_urn", EDGE_TEXT, .help = "linkedin: the member" },
    { "page_id", EDGE_TEXT, .help = "facebook, instagram: the chosen Page" },
    { "page_name", EDGE_TEXT, .help = "Its name" },
    { "pages", EDGE_ARRAY, .items = &meta_page_output, .help = "facebook, instagram: Pages to choose from" },
    { "instagram_account_id", EDGE_TEXT, .help = "instagram: the account" },
    { "instagram_username", EDGE_TEXT, .help = "And its name" },
    { "last_error", EDGE_TEXT, .help = "Code of what went wrong" },
    { "last_error_at", EDGE_DATETIME, .help = "And when" },
    { 0 },
};

static const edge_field crm_fields[] = {
    { "id", EDGE_UUID, .required = true },
    { "user_id", EDGE_TEXT, .required = true },
    { "provider", EDGE_TEXT, .required = true, .help = "Name of the service" },
    { "connection_status", EDGE_ENUM, .values = connection_statuses },
    { "sync_settings", EDGE_OBJECT, .required = true, .help = "Switches and state of syncs, by name" },
    { "last_sync_at", EDGE_DATETIME },
    { "created_at", EDGE_DATETIME },
    { "updated_at", EDGE_DATETIME },
    { "needs_reconnect", EDGE_BOOL, .required = true, .help = "Whether the user has to connect again" },
    { 0 },
};
static const edge_field crm_item = { .type = EDGE_OBJECT, .fields = crm_fields };

static const edge_field external_fields[] = {
    { "id", EDGE_UUID, .required = true },
    { "user_id", EDGE_TEXT, .required = true },
    { "service_name", EDGE_TEXT, .required = true },
    { "connection_status", EDGE_ENUM, .values = connection_statuses },
    { "settings", EDGE_OBJECT, .fields = settings_fields, .required = true, .help = "What is known of it" },
    { "last_sync_at", EDGE_DATETIME },
    { "created_at", EDGE_DATETIME },
    { "updated_at", EDGE_DATETIME },
    { "needs_reconnect", EDGE_BOOL, .required = true, .help = "Whether the user has to connect again" },
    { 0 },
};
static const edge_field external_item = { .type = EDGE_OBJECT, .fields = external_fields };

static const edge_field brief_fields[] = {
    { "id", EDGE_UUID, .required = true },
    { "serviceName", EDGE_TEXT, .required = true },
    { "connectionStatus", EDGE_ENUM, .values = connection_statuses },
    { "lastSyncAt", EDGE_DATETIME },
    { 0 },
};
static const edge_field brief_item = { .type = EDGE_OBJECT, .fields = brief_fields };

static const edge_field data_fields[] = {
    { "crm", EDGE_ARRAY, .items = &crm_item, .required = true, .help = "Connections by an API key" },
    { "external", EDGE_ARRAY, .items = &external_item, .required = true, .help = "Connections by consent" },
    { "crmConnections", EDGE_ARRAY, .items = &brief_item, .required = true, .help = "crm in short" },
    { "externalConnections", EDGE_ARRAY, .items = &brief_item, .required = true, .help = "external in short" },
    { 0 },
};

static const edge_field output[] = {
    { "success", EDGE_BOOL, .required = true, .help = "true" },
    { "data", EDGE_OBJECT, .fields = data_fields, .required = true },
    { 0 },
};

/* What a page may know of an account: the members that connecting writes. */
static const char *const shown_settings[] = { "account_id", "account_email", "account_name", "scopes",
    "missing_scopes", "connected_at", "person_urn", "page_id", "page_name", "pages", "instagram_account_id",
    "instagram_username", "last_error", "last_error_at", NULL };

static const char *const secret_words[] = { "token", "secret", "password", "api_key", "apikey", NULL };

static json_t *shown(const json_t *settings)
{
    json_t *kept = json_object();
    for (const char *const *name = shown_settings; *name != NULL; name++)
        json_object_set(kept, *name, json_object_get(settings, *name));
    return kept;
}

static bool is_secret(const char *name)
{
    for (; *name != '\0'; name++)
        for (const char *const *word = secret_words; *word != NULL; word++)
            if (strncasecmp(name, *word, strlen(*word)) == 0)
                return true;
    return false;
}

static json_t *without_secrets(const json_t *settings)
{
    json_t *kept = json_object(), *value;
    const char *name;
    json_object_foreach((json_t *)settings, name, value)
    {
        if (!is_secret(name))
            json_object_set(kept, name, value);
    }
    return kept;
}

static void add_needs_reconnect(json_t *row)
{
    const char *status = edge_json_text(row, "connection_status");
    json_object_set_new(row, "needs_reconnect", json_boolean(status != NULL && strcmp(status, "error") == 0));
}

static json_t *crm_items(const edge_rows *rows)
{
    json_t *items = edge_rows_json(rows), *row;
    size_t i;
    json_array_foreach(items, i, row)
    {
        json_object_set_new(row, "sync_settings", without_secrets(json_object_get(row, "sync_settings")));
        add_needs_reconnect(row);
    }
    return items;
}

static json_t *external_items(const edge_rows *rows)
{
    json_t *items = edge_rows_json(rows), *row;
    size_t i;
    json_array_foreach(items, i, row)
    {
        json_object_set_new(row, "settings", shown(json_object_get(row, "settings")));
        add_needs_reconnect(row);
    }
    return items;
}

/* The same rows by the names that the goals page reads. */
static json_t *brief(const json_t *items, const char *name_column)
{
    json_t *list = json_array(), *row;
    size_t i;
    json_array_foreach((json_t *)items, i, row) json_array_append_new(list,
        json_pack("{s:O, s:O, s:O, s:O}", "id", json_object_get(row, "id"), "serviceName",
            json_object_get(row, name_column), "connectionStatus", json_object_get(row, "connection_status"),
            "lastSyncAt", json_object_get(row, "last_sync_at")));
    return list;
}

static const struct service *wanted_service(edge_ctx *ctx, const char *name)
{
    const struct service *service = service_find(name);
    if (name != NULL && name[0] != '\0' && service == NULL)
        edge_fail_with(ctx, 400, "invalid_input", .field = "service",
            .message = edge_format(ctx, "There is no service \"%s\"", name));
    return service;
}

static json_t *fetch_user_connections(edge_ctx *ctx, json_t *in)
{
    const char *kind = edge_json_text(in, "kind");
    const struct service *service = wanted_service(ctx, edge_json_text(in, "service"));
    bool crm_wanted = kind == NULL || strcmp(kind, "external") != 0,
         external_wanted = kind == NULL || strcmp(kind, "crm") != 0;
    const char *const names[] = { service != NULL ? service->name : NULL,
        service != NULL ? service->aliases[0] : NULL };
    edge_arg named = edge_texts(service != NULL ? names : NULL, service != NULL && names[1] != NULL ? 2 : 1);

    edge_rows *rows[2];
    edge_query_batch(ctx, rows,
        EDGE_SQL("SELECT id, user_id, provider, connection_status, sync_settings, last_sync_at, created_at,"
                 " updated_at"
                 " FROM crm_connections"
                 " WHERE user_id = $1 AND $2 AND ($3::text[] IS NULL OR provider = ANY($3))"
                 " ORDER BY created_at, id",
            edge_text(edge_auth_user(ctx)), edge_bool(crm_wanted), named),
        EDGE_SQL("SELECT id, user_id, service_name, connection_status, settings, last_sync_at, created_at,"
                 " updated_at"
                 " FROM external_service_connections"
                 " WHERE user_id = $1 AND $2 AND ($3::text[] IS NULL OR service_name = ANY($3))"
                 " ORDER BY created_at, id",
            edge_text(edge_auth_user(ctx)), edge_bool(external_wanted), named));

    json_t *crm = crm_items(rows[0]), *external = external_items(rows[1]);
    return json_pack("{s:b, s:{s:O, s:O, s:o, s:o}}", "success", 1, "data", "crm", crm, "external", external,
        "crmConnections", brief(crm, "provider"), "externalConnections", brief(external, "service_name"));
}

EDGE_FUNCTION(fetchUserConnections,
    .summary = "Lists the user's connections",
    .input = input,
    .output = output,
    .handle = fetch_user_connections);
