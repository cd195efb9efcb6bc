/*
 * Reading objects: in pieces, or whole into the invocation's memory.
 */
#include "storage/storage.h"

#include <context.h>

#include <errno.h>
#include <string.h>

static int open_object(
    edge_ctx *ctx, edge_object *object, int64_t offset, int64_t length, struct edge_download **download)
{
    *download = edge_alloc(ctx, sizeof **download);
    return storage_backend(ctx)->open(ctx, *download, offset < 0 ? 0 : offset, length, object);
}

edge_download *storage_open_existing(edge_ctx *ctx, const char *bucket, const char *path, int64_t offset,
    int64_t length, const edge_object **object)
{
    storage_check_names(ctx, bucket, path);
    struct edge_download *download = NULL;
    edge_object *found = storage_object(ctx, bucket, path);
    int result = open_object(ctx, found, offset, length, &download);
    if (result < 0 && result != -ENOENT)
        storage_fail(ctx, result);
    if (object != NULL)
        *object = result == 0 ? found : NULL;
    return result == 0 ? download : NULL;
}

edge_download *edge_storage_open(edge_ctx *ctx, const char *bucket, const char *path, int64_t offset,
    int64_t length, const edge_object **object)
{
    edge_download *download = storage_open_existing(ctx, bucket, path, offset, length, object);
    if (download == NULL)
        storage_fail(ctx, -ENOENT);
    return download;
}

const void *edge_storage_read(edge_ctx *ctx, edge_download *download, size_t *length)
{
    const void *piece = NULL;
    int result = storage_backend(ctx)->read(ctx, download, &piece, length);
    if (result < 0)
        storage_fail(ctx, result);
    return piece;
}

/* The size is known before the first byte, so the arena refuses at once what it cannot hold. */
static int read_whole(edge_ctx *ctx, struct edge_download *download, const edge_object *object, char **bytes)
{
    size_t size = (size_t)object->size_bytes, filled = 0, length = 0;
    *bytes = edge_alloc(ctx, size + 1);
    for (;;) {
        const void *piece = NULL;
        int result = storage_backend(ctx)->read(ctx, download, &piece, &length);
        if (result < 0)
            return result;
        if (piece == NULL)
            return filled == size ? 0 : -EIO;
        if (length > size - filled)
            return -EIO;
        memcpy(*bytes + filled, piece, length);
        filled += length;
    }
}

const void *edge_try_storage_get(
    edge_ctx *ctx, edge_error *error, const char *bucket, const char *path, size_t *length)
{
    storage_check_names(ctx, bucket, path);
    struct edge_download *download = NULL;
    edge_object *object = storage_object(ctx, bucket, path);
    char *bytes = NULL;
    int result = open_object(ctx, object, 0, -1, &download);
    if (result == 0)
        result = read_whole(ctx, download, object, &bytes);
    storage_close(download);
    if (result < 0) {
        storage_describe(ctx, result, error);
        return NULL;
    }
    if (length != NULL)
        *length = (size_t)object->size_bytes;
    return bytes;
}

const void *edge_storage_get(edge_ctx *ctx, const char *bucket, const char *path, size_t *length)
{
    edge_error error;
    const void *bytes = edge_try_storage_get(ctx, &error, bucket, path, length);
    if (bytes == NULL)
        edge_fail_error(ctx, &error);
    return bytes;
}
