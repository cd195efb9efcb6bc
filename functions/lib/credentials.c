/*
 * Credentials at rest.
 */
#include "lib/credentials.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

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

/* Seconds of an ISO 8601 time with or without an offset, 0 when it is none. */
static int64_t epoch_seconds(const char *text)
{
    struct tm at = { 0 };
    int length = 0, offset_hours = 0, offset_minutes = 0;
    if (sscanf(text, "%4d-%2d-%2d%*1[Tt ]%2d:%2d:%2d%n", &at.tm_year, &at.tm_mon, &at.tm_mday, &at.tm_hour,
            &at.tm_min, &at.tm_sec, &length) != 6)
        return 0;
    at.tm_year -= 1900;
    at.tm_mon -= 1;
    const char *rest = text + length;
    if (*rest == '.')
        rest += 1 + strspn(rest + 1, "0123456789");
    if (*rest == '+' || *rest == '-')
        sscanf(rest + 1, "%2d:%2d", &offset_hours, &offset_minutes);
    int64_t offset = offset_hours * 3600 + offset_minutes * 60;
    return (int64_t)timegm(&at) - (*rest == '-' ? -offset : offset);
}

static json_t *read_legacy(const json_t *stored)
{
    json_t *values = json_deep_copy(stored);
    const char *expires_at = edge_json_text(stored, "expires_at");
    if (expires_at != NULL) {
        int64_t seconds = epoch_seconds(expires_at);
        json_object_set_new(values, "expires_at", seconds != 0 ? json_integer(seconds) : json_null());
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
