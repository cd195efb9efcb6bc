/*
 * A cache in the worker's memory, for what is dearer to make than to keep: a session with a provider, a score,
 * a key set. Every worker has its own; a value may be gone at any time, and is gone after its time to live.
 *
 * A key is 1 to 512 bytes without control characters and belongs to the function: another one may use the same
 * key for its own. A key that begins with "/" is common to all functions. Values are copied in and out: what
 * was put can be changed afterwards, what was got is the invocation's. Over 1 KiB they are kept compressed
 * (LZ4). All values of a worker together take EDGE_CACHE_BYTES (default 32 MiB); the least recently used leave
 * first, and one larger than a quarter of it is not kept.
 *
 * The straight line for something that only one should make at a time:
 *
 *     json_t *session = edge_cache_claim(ctx, key);
 *     if (session == NULL) {
 *         session = log_in(ctx);
 *         edge_cache_put(ctx, key, session, .ttl_ms = 110 * 60 * 1000);
 *     }
 *
 * edge_cache_delete reaches all workers of all hosts, by Postgres NOTIFY on channel "edge_cache". SQL can do
 * the same: the payload is "<function>:<key>", or a common key, and with "*" at its end all keys that begin so.
 * In a transaction it takes effect with the commit:
 *
 *     SELECT pg_notify('edge_cache', 'computePulse:' || NEW.user_id)
 *
 * A worker that is cut off from the database drops what it holds and keeps nothing until it hears again, but
 * for values put with .local, which live by their time alone.
 */
#ifndef EDGE_CACHE_H
#define EDGE_CACHE_H

#include <edge/base.h>

#pragma GCC visibility push(default)

/* How a value is kept; zero members are the defaults. */
typedef struct edge_cache_options {
    int64_t ttl_ms; /* default 60,000; -1: until it is evicted or deleted */
    bool local;     /* kept while the database is out of reach, too: its time to live is all that bounds it */
} edge_cache_options;

/* The value of a key, NULL when there is none. Does not park. */
json_t *edge_cache_get(edge_ctx *ctx, const char *key);

/* Keeps a value in place of the one before, and hands it to those who wait in edge_cache_claim. Does not park.
 */
#define edge_cache_put(ctx, key, value, ...)                                                                   \
    edge_cache_put_with((ctx), (key), (value), &(const edge_cache_options){ __VA_ARGS__ })
void edge_cache_put_with(
    edge_ctx *ctx, const char *key, const json_t *value, const edge_cache_options *options);

/*
 * As edge_cache_get, but single flight: NULL says that the caller, and for now nobody else in this worker, is
 * to make the value. Others who claim the key are parked until it has been put, and get it, kept or not. When
 * the claimant's invocation ends without, or calls edge_cache_release, the next in line gets NULL. A claim is
 * the fiber's: claiming again what it holds is NULL again. Whoever claims several keys does so in one order.
 *
 * A delete that comes while the value is made is not lost: the value is handed on and not kept.
 */
json_t *edge_cache_claim(edge_ctx *ctx, const char *key);

/* Gives a claim up without a value. */
void edge_cache_release(edge_ctx *ctx, const char *key);

/* The same for bytes, which are followed by a NUL that length (may be NULL) does not count. */
const void *edge_cache_get_bytes(edge_ctx *ctx, const char *key, size_t *length);
const void *edge_cache_claim_bytes(edge_ctx *ctx, const char *key, size_t *length);
#define edge_cache_put_bytes(ctx, key, data, length, ...)                                                      \
    edge_cache_put_bytes_with((ctx), (key), (data), (length), &(const edge_cache_options){ __VA_ARGS__ })
void edge_cache_put_bytes_with(
    edge_ctx *ctx, const char *key, const void *data, size_t length, const edge_cache_options *options);

/*
 * Forgets a key, or with "*" at its end all keys that begin so: here at once, in other workers and hosts within
 * moments. Does not park. Call it after the transaction that made the value old has been committed; while the
 * database cannot be reached it is remembered.
 */
void edge_cache_delete(edge_ctx *ctx, const char *key);

#pragma GCC visibility pop

#endif
