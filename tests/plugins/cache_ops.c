/*
 * cache_ops: every call of cache.h, as the input says; and which worker it was.
 */
#include <edge/edge.h>

#include <string.h>
#include <unistd.h>

static const char *const operations[] = { "get", "put", "delete", "claim", "release", "twins", "bytes", NULL };

static const edge_field input[] = {
    { "op", EDGE_ENUM, .values = operations, .required = true, .help = "What to do" },
    { "key", EDGE_JSON, .help = "Key" },
    { "value", EDGE_JSON, .help = "Value to put" },
    { "ttl", EDGE_INT, .min = -1, .max = 3600000, .fallback = "0", .help = "Time to live, milliseconds" },
    { "local", EDGE_BOOL, .fallback = "false", .help = "Keep it without a database, too" },
    { "ms", EDGE_INT, .min = 0, .max = 60000, .fallback = "0", .help = "How long making the value takes" },
    { "fail", EDGE_BOOL, .fallback = "false", .help = "Whether making it fails" },
    { 0 },
};

/* Makes the value unless somebody else does; says which of both it was. */
static json_t *claim(edge_ctx *ctx, json_t *in, const char *key)
{
    json_t *value = edge_cache_claim(ctx, key);
    if (value != NULL)
        return json_pack("{s:o, s:b}", "value", value, "made", 0);
    if (edge_json_int(in, "ms", 0) > 0)
        edge_sleep(ctx, edge_json_int(in, "ms", 0));
    if (edge_json_bool(in, "fail", false))
        edge_fail(ctx, 409, "asked_for", "Failing as asked");
    value = json_object_get(in, "value");
    edge_cache_put(ctx, key, value, .ttl_ms = edge_json_int(in, "ttl", 0));
    return json_pack("{s:O, s:b}", "value", value, "made", 1);
}

struct twin {
    json_t *in;
    const char *key;
};

static void *twin(edge_ctx *ctx, void *arg)
{
    const struct twin *twin = arg;
    return claim(ctx, twin->in, twin->key);
}

/* Two fibers of one invocation want the same. */
static json_t *twins(edge_ctx *ctx, json_t *in, const char *key)
{
    struct twin *both = edge_alloc(ctx, sizeof *both);
    *both = (struct twin){ in, key };
    edge_task *one = edge_spawn(ctx, twin, both), *two = edge_spawn(ctx, twin, both);
    json_t *first = edge_await(ctx, one), *second = edge_await(ctx, two);
    return json_pack("[o, o]", first, second);
}

static json_t *bytes(edge_ctx *ctx, const char *key)
{
    static const char text[] = "\0\1\2";
    size_t length = 0;
    bool first = edge_cache_claim_bytes(ctx, key, &length) == NULL;
    if (first)
        edge_cache_put_bytes(ctx, key, text, sizeof text);
    const char *found = edge_cache_get_bytes(ctx, key, &length);
    return json_pack("{s:b, s:b, s:b}", "first", first, "same",
        found != NULL && length == sizeof text && memcmp(found, text, length) == 0, "json",
        edge_cache_get(ctx, key) != NULL);
}

static json_t *cache_ops(edge_ctx *ctx, json_t *in)
{
    const char *op = edge_json_text(in, "op"), *key = edge_json_text(in, "key");
    json_t *result = json_null();
    if (strcmp(op, "get") == 0) {
        json_t *value = edge_cache_get(ctx, key);
        result = value != NULL ? value : json_null();
    } else if (strcmp(op, "put") == 0) {
        edge_cache_put(ctx, key, json_object_get(in, "value"), .ttl_ms = edge_json_int(in, "ttl", 0),
            .local = edge_json_bool(in, "local", false));
    } else if (strcmp(op, "delete") == 0) {
        edge_cache_delete(ctx, key);
    } else if (strcmp(op, "claim") == 0) {
        result = claim(ctx, in, key);
    } else if (strcmp(op, "twins") == 0) {
        result = twins(ctx, in, key);
    } else if (strcmp(op, "bytes") == 0) {
        result = bytes(ctx, key);
    } else {
        edge_cache_claim(ctx, key);
        edge_cache_release(ctx, key);
    }
    return json_pack("{s:o, s:i}", "result", result, "worker", (int)getpid());
}

EDGE_FUNCTION(cache_ops, .summary = "Keeps and forgets values", .input = input, .handle = cache_ops);
