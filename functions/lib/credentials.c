/*
 * Credentials at rest.
 */
#include "lib/credentials.h"

#include "lib/iso_time.h"

static const char *aad(edge_ctx *ctx, const struct service *service, const char *user)
{
    const char *table = service_is_crm(service) ? "crm_connections" : "external_service_connections";
    return edge_format(ctx, "pulse-edge:v1:%s:%s:%s", table, user, service->name);
}

json_t *credentials_seal(edge_ctx *ctx, const struct service *service, const char *user, const json_t *values)
{
    return edge_seal_json(ctx, values, aad(ctx, service, user));
}

/* The members by which the system before this one is known. */
static bool is_legacy(const json_t *stored)
{
    return json_object_get(stored, "alg") == NULL &&
           (edge_json_text(stored, "access_token") != NULL || edge_json_text(stored, "api_key") != NULL ||
               edge_json_text(stored, "access_key") != NULL);
}

static json_t *read_legacy(const json_t *stored)
{
    json_t *values = json_deep_copy(stored);
    const char *expires_at = edge_json_text(stored, "expires_at");
    if (expires_at != NULL) {
        int64_t at_us;
        bool read = iso_time_read(expires_at, &at_us);
        json_object_set_new(values, "expires_at", read ? json_integer(at_us / 1000000) : json_null());
    }
    return values;
}

struct credentials credentials_open(
    edge_ctx *ctx, const struct service *service, const char *user, const json_t *stored)
{
    bool empty = json_is_object(stored) && json_object_size(stored) == 0;
    if (stored == NULL || json_is_null(stored) || empty)
        return (struct credentials){ .state = CREDENTIALS_NONE };
    if (is_legacy(stored))
        return (struct credentials){ CREDENTIALS_OPEN, read_legacy(stored), true };

    json_t *values = edge_open_json(ctx, stored, aad(ctx, service, user));
    if (!json_is_object(values))
        return (struct credentials){ .state = CREDENTIALS_UNREADABLE };
    return (struct credentials){ CREDENTIALS_OPEN, values, false };
}
