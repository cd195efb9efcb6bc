/*
 * The cache as functions see it.
 */
#include <cache.h>

#include "base/json_dump.h"
#include "cache/flight.h"
#include "cache/listen.h"
#include "cache/table.h"

#include <context.h>

#include <edge/cache.h>
#include <edge/json.h>

#include <string.h>

enum {
    DEFAULT_TTL_MS = 60 * 1000,
    DEFAULT_BUDGET = 32 * 1024 * 1024,
    KEY_MAX = 512
};

static struct {
    uint64_t hits, misses, invalidations;
} counts;

int cache_start(struct ev_loop *loop, const struct cache_settings *settings)
{
    counts.hits = counts.misses = counts.invalidations = 0;
    int result = table_start(settings->budget_bytes != 0 ? settings->budget_bytes : DEFAULT_BUDGET);
    return result == 0 ? listen_start(loop, settings->url) : result;
}

void cache_stop(void)
{
    listen_stop();
    table_stop();
}

void cache_get_stats(struct cache_stats *stats)
{
    *stats = (struct cache_stats){
        .entries = table_count(),
        .bytes = table_bytes(),
        .budget_bytes = table_budget(),
        .hits = counts.hits,
        .misses = counts.misses,
        .evictions = table_evictions(),
        .invalidations = counts.invalidations,
        .listening = listen_connected(),
    };
}

/* Drops what a payload means, here. */
static void forget(const char *payload)
{
    size_t length = strlen(payload);
    if (length > 0 && payload[length - 1] == '*') {
        table_remove_prefix(payload, length - 1);
        flight_outdate_prefix(payload, length - 1);
    } else {
        table_remove(payload);
        flight_outdate(payload);
    }
}

void cache_heard(const char *payload)
{
    counts.invalidations++;
    forget(payload);
}

void cache_deafened(void)
{
    table_remove_shared();
    flight_outdate_prefix("", 0);
}

/* The key as it is kept and told: with its function before it, unless it is common. */
static const char *full_key(edge_ctx *ctx, const char *key, bool pattern)
{
    size_t length = key != NULL ? strlen(key) : 0;
    bool good = length > 0 && length <= KEY_MAX && (pattern || key[length - 1] != '*');
    for (size_t i = 0; good && i < length; i++)
        good = (unsigned char)key[i] >= 0x20;
    if (!good)
        context_fail_detail(ctx, 500, "internal_error", "Internal error",
            "a cache key is empty, too long, has control characters or ends with \"*\"");
    return key[0] == '/' ? key : edge_format(ctx, "%s:%s", ctx->name, key);
}

static char *read_value(edge_ctx *ctx, const struct cache_value *value)
{
    char *out = edge_alloc(ctx, value->length + 1);
    if (value_copy(value, out))
        return out;
    context_fail_detail(ctx, 500, "internal_error", "Internal error", "a cached value cannot be read");
}

static struct cache_value *look(const char *key, bool json)
{
    struct cache_value *value = table_get(key, clock_us());
    value = value != NULL && value->is_json == json ? value : NULL;
    counts.hits += value != NULL;
    counts.misses += value == NULL;
    return value;
}

/* What is kept, or what the one who makes it brings; NULL: the caller makes it. */
static struct cache_value *claim(edge_ctx *ctx, const char *key, bool json)
{
    struct cache_value *value = look(key, json);
    if (value != NULL)
        return value;
    value = flight_claim(ctx, key);
    return value != NULL && value->is_json == json ? value : NULL;
}

static json_t *as_json(edge_ctx *ctx, const struct cache_value *value)
{
    return value != NULL ? edge_json_parse(ctx, read_value(ctx, value), value->length) : NULL;
}

static const void *as_bytes(edge_ctx *ctx, const struct cache_value *value, size_t *length)
{
    if (value != NULL && length != NULL)
        *length = value->length;
    return value != NULL ? read_value(ctx, value) : NULL;
}

json_t *edge_cache_get(edge_ctx *ctx, const char *key)
{
    return as_json(ctx, look(full_key(ctx, key, false), true));
}

json_t *edge_cache_claim(edge_ctx *ctx, const char *key)
{
    return as_json(ctx, claim(ctx, full_key(ctx, key, false), true));
}

const void *edge_cache_get_bytes(edge_ctx *ctx, const char *key, size_t *length)
{
    return as_bytes(ctx, look(full_key(ctx, key, false), false), length);
}

const void *edge_cache_claim_bytes(edge_ctx *ctx, const char *key, size_t *length)
{
    return as_bytes(ctx, claim(ctx, full_key(ctx, key, false), false), length);
}

static void put(edge_ctx *ctx, const char *key, const void *data, size_t length, bool json,
    const edge_cache_options *options)
{
    struct cache_value *value = value_make(data, length, json);
    if (value == NULL)
        edge_fail(ctx, 503, "overloaded", "The host is out of memory");
    int64_t ttl_ms = options->ttl_ms != 0 ? options->ttl_ms : DEFAULT_TTL_MS;
    int64_t expires_us = ttl_ms < 0 ? INT64_MAX : clock_us() + ttl_ms * 1000;
    bool current = flight_land(ctx, key, value);
    if (current && (options->local || listen_hears()))
        table_put(key, value, expires_us, options->local);
    value_release(value);
}

void edge_cache_put_with(edge_ctx *ctx, const char *key, const json_t *value, const edge_cache_options *options)
{
    const char *full = full_key(ctx, key, false);
    size_t length = 0;
    const char *text = json_dump_shared(value, &length);
    if (text == NULL)
        edge_fail(ctx, 503, "overloaded", "The host is out of memory");
    put(ctx, full, text, length, true, options);
}

void edge_cache_put_bytes_with(
    edge_ctx *ctx, const char *key, const void *data, size_t length, const edge_cache_options *options)
{
    put(ctx, full_key(ctx, key, false), data, length, false, options);
}

void edge_cache_release(edge_ctx *ctx, const char *key)
{
    flight_land(ctx, full_key(ctx, key, false), NULL);
}

void edge_cache_delete(edge_ctx *ctx, const char *key)
{
    const char *full = full_key(ctx, key, true);
    forget(full);
    listen_tell(full);
}
