/*
 * disconnectService: removes one of the user's connections and gives its grant back to the provider. One
 * transaction of two round trips, which is over before the provider is called: the token is gone here whatever
 * the provider does, and of two calls at once only one sees it.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/oauth_flow.h"
#include "lib/revocation.h"

static const char *const kinds[] = { "crm", "external", NULL };

static const edge_field input[] = {
    { "userId", EDGE_USER, .help = "The caller's own id, or absent" },
    { "serviceName", EDGE_TEXT, .help = "Service or alias; required" },
    { "connectionType", EDGE_ENUM, .values = kinds,
        .help = "Which kind of connection the caller takes it for" },
    { 0 },
};

static const edge_field output[] = {
    { "success", EDGE_BOOL, .required = true, .help = "true" },
    { "message", EDGE_TEXT, .required = true, .help = "For people" },
    { "service", EDGE_ENUM, .values = service_names, .required = true, .help = "What has been disconnected" },
    { "revoked", EDGE_BOOL, .required = true, .help = "Whether the provider takes the grant for over" },
    { "revocation", EDGE_ENUM, .values = revocation_outcomes, .required = true,
        .help = "What became of the grant" },
    { "manageUrl", EDGE_URL, .help = "Where the user can end the grant; microsoft_365 only" },
    { 0 },
};

static const struct service *read_service(edge_ctx *ctx, const json_t *in)
{
    const char *name = edge_json_text(in, "serviceName"), *kind = edge_json_text(in, "connectionType");
    if (name == NULL || name[0] == '\0')
        edge_fail_with(
            ctx, 400, "invalid_input", .field = "serviceName", .message = "Service name is required");
    const struct service *service = service_find(name);
    if (service == NULL)
        edge_fail_with(ctx, 400, "invalid_input", .field = "serviceName",
            .message = edge_format(ctx, "There is no service \"%s\"", name));
    if (kind != NULL && kind[0] != '\0' && service_is_crm(service) != (strcmp(kind, "crm") == 0))
        edge_fail_with(ctx, 400, "invalid_input", .field = "connectionType",
            .message = edge_format(ctx, "%s is a connection of the other kind", service->label));
    return service;
}

/* Rows of this service, the one that counts first. */
static edge_rows *lock_rows(edge_tx *tx, const char *user, const struct service *service, edge_arg names)
{
    if (service_is_crm(service))
        return edge_tx_query(tx,
            "SELECT credentials, sync_settings->>'account_id' AS account_id FROM crm_connections"
            " WHERE user_id = $1 AND provider = ANY($2)"
            " ORDER BY updated_at DESC NULLS LAST, id DESC"
            " FOR UPDATE",
            edge_text(user), names);
    return edge_tx_query(tx,
        "SELECT credentials, settings->>'account_id' AS account_id FROM external_service_connections"
        " WHERE user_id = $1 AND service_name = ANY($2)"
        " FOR UPDATE",
        edge_text(user), names);
}

static void empty_rows(edge_tx *tx, const char *user, const struct service *service, edge_arg names)
{
    if (service_is_crm(service))
        edge_tx_send(tx,
            "UPDATE crm_connections"
            " SET connection_status = 'disconnected', credentials = '{}',"
            " sync_settings = sync_settings - ARRAY['account_name', 'account_email', 'account_id']"
            " WHERE user_id = $1 AND provider = ANY($2)",
            edge_text(user), names);
    else
        edge_tx_send(tx,
            "UPDATE external_service_connections"
            " SET connection_status = 'disconnected', credentials = '{}', settings = '{}'"
            " WHERE user_id = $1 AND service_name = ANY($2)",
            edge_text(user), names);
    edge_tx_send(tx, "DELETE FROM edge.oauth_states WHERE user_id = $1 AND service_name = $2", edge_text(user),
        edge_text(service->name));
}

struct taken {
    bool found;
    const json_t *stored;
    const char *account_id;
};

static struct taken take(edge_ctx *ctx, const char *user, const struct service *service)
{
    const char *const list[] = { service->name, service->aliases[0] };
    edge_arg names = edge_texts(list, service_is_crm(service) && list[1] != NULL ? 2 : 1);
    struct taken taken = { .found = false };
    EDGE_TRANSACTION(ctx, tx, .service = true)
    {
        edge_rows *rows = lock_rows(tx, user, service, names);
        taken.found = edge_rows_count(rows) > 0;
        if (taken.found) {
            taken.stored = edge_rows_value(rows, 0, "credentials");
            taken.account_id = edge_rows_text(rows, 0, "account_id");
            empty_rows(tx, user, service, names);
        }
    }
    return taken;
}

/* What became of the grant. Credentials that cannot be opened, also for want of a key, cannot be given back. */
static const char *give_back(
    edge_ctx *ctx, const char *user, const struct service *service, const struct taken *taken)
{
    if (json_object_size(taken->stored) == 0)
        return "nothing_to_revoke";
    if (json_object_get(taken->stored, "alg") != NULL && !edge_seal_available(ctx))
        return "failed";
    struct credentials credentials = credentials_open(ctx, service, user, taken->stored);
    if (credentials.state == CREDENTIALS_UNREADABLE)
        return "failed";
    return revoke(ctx, &(const struct revocation){ service, user, credentials.values, taken->account_id });
}

static json_t *disconnect_service(edge_ctx *ctx, json_t *in)
{
    const char *user = edge_auth_user(ctx);
    const struct service *service = read_service(ctx, in);
    bool crm = service_is_crm(service);

    struct taken taken = take(ctx, user, service);
    if (!taken.found)
        edge_fail(ctx, 404, "not_found", crm ? "CRM connection not found" : "Connection not found");
    const char *revocation = give_back(ctx, user, service, &taken);
    bool revoked = strcmp(revocation, "revoked") == 0 || strcmp(revocation, "already_invalid") == 0;
    bool manual = service->provider == SERVICE_MICROSOFT && strcmp(revocation, "not_supported") == 0;
    return json_pack("{s:b, s:s, s:s, s:b, s:s, s:s?}", "success", 1, "message",
        crm ? edge_format(ctx, "%s CRM disconnected successfully", edge_json_text(in, "serviceName"))
            : "Service disconnected successfully",
        "service", service->name, "revoked", revoked, "revocation", revocation, "manageUrl",
        manual ? "https://myapps.microsoft.com" : NULL);
}

EDGE_FUNCTION(disconnectService,
    .summary = "Removes a connection and revokes its grant at the provider",
    .input = input,
    .output = output,
    .handle = disconnect_service);
