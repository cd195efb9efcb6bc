/*
 * Object storage: bytes under <bucket>/<path>, with a content type. The host keeps them in a directory
 * (STORAGE_DIR, default .edge/storage) or in an S3-compatible service (STORAGE_S3_ENDPOINT); functions see no
 * difference. Every call that touches an object parks its fiber.
 *
 * A bucket is 1 to 63 characters of [A-Za-z0-9._-], the first a letter or digit; it need not be made first in
 * the directory. A path is 1 to 1,024 bytes of UTF-8: at most 32 segments of at most 200 bytes, none of them
 * empty, "." or "..", none ending in ".object", no backslash and no control character. Anything else is 400
 * "invalid_input", field "bucket" or "path". Whose object it is, the function decides: private paths begin
 * with the owner's id.
 *
 * An object appears whole or not at all, replaces the one before it at once, and is on the disk when the call
 * returns. Calls end the invocation when they fail:
 *   404 "object_not_found"   409 "object_exists"   507 "storage_full"
 *   503 "not_configured"     no back end can be used; the message names the variable
 *   502 "storage_failed"     the disk or the service failed; the log says how
 * Their edge_try_ forms return NULL with *error filled instead.
 */
#ifndef EDGE_STORAGE_H
#define EDGE_STORAGE_H

#include <edge/base.h>

#pragma GCC visibility push(default)

typedef struct edge_object {
    const char *bucket, *path;
    const char *content_type;
    const char *etag; /* changes with the bytes; without quotes */
    int64_t size_bytes;
    int64_t modified_us; /* Unix time; to the second from S3 */
} edge_object;

/* How an object is written; zero members are the defaults. */
typedef struct edge_put_options {
    const char *content_type; /* default application/octet-stream */
    bool if_absent;           /* 409 "object_exists" instead of replacing one */
} edge_put_options;

/* Whether a back end can be used: the directory can be written to, or a service is configured. Does not park.
 */
bool edge_storage_available(edge_ctx *ctx);

/*
 * Stores length bytes; data is borrowed until the call returns.
 *
 *     edge_storage_put(ctx, "audio-recordings", path, bytes, length, .content_type = "audio/mpeg");
 */
#define edge_storage_put(ctx, bucket, path, data, length, ...)                                                 \
    edge_storage_put_with((ctx), (bucket), (path), (data), (length), &(const edge_put_options){ __VA_ARGS__ })
#define edge_try_storage_put(ctx, error, bucket, path, data, length, ...)                                      \
    edge_try_storage_put_with(                                                                                 \
        (ctx), (error), (bucket), (path), (data), (length), &(const edge_put_options){ __VA_ARGS__ })
EDGE_RETURNS_NONNULL const edge_object *edge_storage_put_with(edge_ctx *ctx, const char *bucket,
    const char *path, const void *data, size_t length, const edge_put_options *options);
EDGE_MUST_USE const edge_object *edge_try_storage_put_with(edge_ctx *ctx, edge_error *error, const char *bucket,
    const char *path, const void *data, size_t length, const edge_put_options *options);

/* All bytes of an object, followed by a NUL that length does not count. For what fits the function's memory. */
EDGE_RETURNS_NONNULL const void *edge_storage_get(
    edge_ctx *ctx, const char *bucket, const char *path, size_t *length);
EDGE_MUST_USE const void *edge_try_storage_get(
    edge_ctx *ctx, edge_error *error, const char *bucket, const char *path, size_t *length);

/* What an object is; NULL when there is none. */
const edge_object *edge_storage_stat(edge_ctx *ctx, const char *bucket, const char *path);

/* Removes an object; one that is not there is no failure. */
void edge_storage_delete(edge_ctx *ctx, const char *bucket, const char *path);

/* Which objects are listed; zero members are the defaults. */
typedef struct edge_list_options {
    const char *prefix; /* paths that begin with it; default all */
    const char *after;  /* paths behind it; a page's next is the following page's after */
    int limit;          /* 1..1000, default 100 */
} edge_list_options;

typedef struct edge_object_list {
    const edge_object *objects; /* by path, in the order of its bytes */
    size_t count;
    const char *next; /* NULL: nothing follows */
} edge_object_list;

/* Lists a bucket's objects; one that is not there is empty. content_type and etag are NULL from S3. */
#define edge_storage_list(ctx, bucket, ...)                                                                    \
    edge_storage_list_with((ctx), (bucket), &(const edge_list_options){ __VA_ARGS__ })
EDGE_RETURNS_NONNULL const edge_object_list *edge_storage_list_with(
    edge_ctx *ctx, const char *bucket, const edge_list_options *options);

/*
 * An object written in pieces, for what is too large to hold: create, write as often as wanted, commit. What
 * has not been committed when the invocation ends was never there. Memory: 256 KiB, or 5 MiB for S3 (parts;
 * those of an invocation that was cancelled are left to the bucket's AbortIncompleteMultipartUpload rule).
 */
typedef struct edge_upload edge_upload;
#define edge_storage_create(ctx, bucket, path, ...)                                                            \
    edge_storage_create_with((ctx), (bucket), (path), &(const edge_put_options){ __VA_ARGS__ })
EDGE_RETURNS_NONNULL edge_upload *edge_storage_create_with(
    edge_ctx *ctx, const char *bucket, const char *path, const edge_put_options *options);
void edge_storage_write(edge_ctx *ctx, edge_upload *upload, const void *data, size_t length);
EDGE_RETURNS_NONNULL const edge_object *edge_storage_commit(edge_ctx *ctx, edge_upload *upload);

/*
 * An object read in pieces of at most 64 KiB: length bytes from offset, length -1 all that follow. read returns
 * NULL at the end; a piece is valid until the next. object (may be NULL) says what it is. An offset behind the
 * end reads nothing. One that is replaced meanwhile is read to its end as it was.
 */
typedef struct edge_download edge_download;
EDGE_RETURNS_NONNULL edge_download *edge_storage_open(edge_ctx *ctx, const char *bucket, const char *path,
    int64_t offset, int64_t length, const edge_object **object);
const void *edge_storage_read(edge_ctx *ctx, edge_download *download, size_t *length);

/*
 * A URL under which anybody can read the object for ttl_seconds (at least 1), also when there is no such object
 * yet. Made without asking anybody; does not park. Base: STORAGE_PUBLIC_URL, else SUPABASE_URL, else the
 * request's own origin. Without STORAGE_SIGNING_KEY and without EDGE_SERVICE_KEY: 503 "not_configured".
 */
EDGE_RETURNS_NONNULL const char *edge_storage_sign_url(
    edge_ctx *ctx, const char *bucket, const char *path, int64_t ttl_seconds);

#pragma GCC visibility pop

#endif
