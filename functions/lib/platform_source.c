/*
 * The former platform's database.
 */
#include "lib/platform_source.h"

#include <stdlib.h>
#include <string.h>

enum {
    TRIES = 3,
    PAUSE_MS = 500,
    CALL_MS = 15000,
    ANSWER_MAX_BYTES = 8 << 20,
};

static int64_t setting_ms(edge_ctx *ctx, const char *name, int64_t fallback)
{
    const char *configured = edge_env(ctx, name);
    return configured != NULL ? atoll(configured) : fallback;
}

static bool may_pass(const edge_reply *reply)
{
    return reply->failure == EDGE_HTTP_TIMEOUT || reply->failure == EDGE_HTTP_UNREACHABLE ||
           reply->status == 429 || reply->status >= 500;
}

/* A GET of the source's REST interface (https://docs.postgrest.org), tried up to three times. */
edge_reply *platform_ask(edge_ctx *ctx, const char *path, bool counts)
{
    const char *key = edge_env_required(ctx, "EXTERNAL_BACKEND_SERVICE_ROLE_KEY");
    const edge_header headers[] = { { "apikey", key }, { "Authorization", edge_format(ctx, "Bearer %s", key) },
        { counts ? "Prefer" : "Accept", counts ? "count=exact" : "application/json" }, { 0 } };
    for (int tries = 1;; tries++) {
        edge_reply *reply = edge_try_fetch(ctx, "external_backend", .path = path, .headers = headers,
            .no_key = true, .retries = -1, .max_bytes = ANSWER_MAX_BYTES,
            .timeout_ms = setting_ms(ctx, "CRM_TIMEOUT_MS", CALL_MS));
        if (!may_pass(reply) || tries == TRIES)
            return reply;
        edge_sleep(ctx, setting_ms(ctx, "CRM_RETRY_MS", PAUSE_MS) << (tries - 1));
    }
}

/* "0-999/1234"; -1 when the source does not say. */
int64_t platform_total(edge_ctx *ctx, const edge_reply *reply)
{
    const char *range = edge_reply_header(ctx, reply, "content-range");
    const char *slash = range != NULL ? strchr(range, '/') : NULL;
    return slash != NULL && strspn(slash + 1, "0123456789") > 0 ? atoll(slash + 1) : -1;
}

const char *platform_last_id(edge_ctx *ctx, const json_t *page)
{
    json_t *id = json_object_get(json_array_get(page, json_array_size(page) - 1), "id");
    return json_is_integer(id) ? edge_json_dump(ctx, id, NULL) : edge_copy(ctx, json_string_value(id));
}
