/*
 * Object storage as functions see it: names checked, failures told, the back end chosen.
 */
#include "storage/storage.h"

#include "storage/disk.h"
#include "storage/sign.h"
#include "storage/tree.h"

#include <context.h>
#include <log.h>

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LIST_DEFAULT = 100,
    LIST_MAX = 1000
};

static struct {
    const struct backend *backend;
    char *directory;
    int root; /* of the directory; opened, and made, when it is first needed */
    bool complained;
} storage = { .root = -1 };

int storage_start(struct ev_loop *loop, const struct storage_settings *settings)
{
    int result = sign_start(settings);
    if (result == 0)
        result = disk_start(loop);
    if (result < 0)
        return result;
    storage.backend = settings->s3 ? &s3_backend : &directory_backend;
    storage.directory = strdup(settings->directory);
    storage.complained = false;
    return storage.directory != NULL ? 0 : -ENOMEM;
}

void storage_stop(void)
{
    disk_stop();
    if (storage.root >= 0)
        close(storage.root);
    free(storage.directory);
    storage.directory = NULL;
    storage.root = -1;
    storage.backend = NULL;
    sign_stop();
}

/* On the loop's stack: the path has a buffer of 4 KiB. What cannot be opened now is tried again next time. */
static void open_root(void *arg)
{
    (void)arg;
    storage.root = tree_open_root(storage.directory);
    if (storage.root < 0 && !storage.complained)
        log_event(EDGE_LOG_WARN, "storage_directory_unusable", { "directory", edge_text(storage.directory) },
            { "reason", edge_text(strerror(-storage.root)) });
    storage.complained = storage.root < 0;
}

/* The back end in use, NULL when it cannot be used. */
static const struct backend *usable(void)
{
    if (storage.backend == &directory_backend && storage.root < 0)
        fiber_on_loop(open_root, NULL);
    return storage.backend == &directory_backend && storage.root < 0 ? NULL : storage.backend;
}

int storage_root(void)
{
    return storage.root;
}

bool edge_storage_available(edge_ctx *ctx)
{
    (void)ctx;
    return usable() != NULL;
}

void storage_at_end(edge_ctx *ctx, void (*fn)(void *arg), void *arg)
{
    if (ctx->finished)
        edge_defer(ctx, fn, arg);
    else
        context_at_finish(ctx, fn, arg);
}

void storage_describe(edge_ctx *ctx, int result, edge_error *error)
{
    switch (result) {
    case -ENOENT:
        *error = (edge_error){ 404, "object_not_found", "The object does not exist", NULL };
        return;
    case -EEXIST:
        *error = (edge_error){ 409, "object_exists", "The object exists already", NULL };
        return;
    case -ENOSPC:
    case -EDQUOT:
    case -EFBIG:
        *error = (edge_error){ 507, "storage_full", "There is no room for the object", strerror(-result) };
        return;
    default:
        *error = (edge_error){ 502, "storage_failed", "The object store failed",
            edge_format(ctx, "storage: %s", strerror(-result)) };
    }
}

void storage_fail(edge_ctx *ctx, int result)
{
    edge_error error;
    storage_describe(ctx, result, &error);
    edge_fail_error(ctx, &error);
}

const struct backend *storage_backend(edge_ctx *ctx)
{
    const struct backend *backend = usable();
    if (backend == NULL)
        edge_fail(ctx, 503, "not_configured", "STORAGE_DIR is not configured");
    return backend;
}

edge_upload *edge_storage_create_with(
    edge_ctx *ctx, const char *bucket, const char *path, const edge_put_options *options)
{
    storage_check_names(ctx, bucket, path);
    storage_backend(ctx);
    struct edge_upload *upload = edge_alloc(ctx, sizeof *upload);
    upload->bucket = edge_copy(ctx, bucket);
    upload->path = edge_copy(ctx, path);
    upload->content_type = storage_media_type(ctx, options->content_type);
    upload->if_absent = options->if_absent;
    return upload;
}

static void must_be_open(edge_ctx *ctx, const edge_upload *upload)
{
    if (upload->ended)
        context_fail_detail(
            ctx, 500, "internal_error", "Internal error", "an upload was written to after it had ended");
}

void edge_storage_write(edge_ctx *ctx, edge_upload *upload, const void *data, size_t length)
{
    must_be_open(ctx, upload);
    int result = storage_backend(ctx)->write(ctx, upload, data, length);
    upload->ended = result < 0;
    if (result < 0)
        storage_fail(ctx, result);
}

edge_object *storage_object(edge_ctx *ctx, const char *bucket, const char *path)
{
    edge_object *object = edge_alloc(ctx, sizeof *object);
    object->bucket = edge_copy(ctx, bucket);
    object->path = edge_copy(ctx, path);
    return object;
}

const edge_object *edge_storage_commit(edge_ctx *ctx, edge_upload *upload)
{
    must_be_open(ctx, upload);
    upload->ended = true;
    edge_object *object = storage_object(ctx, upload->bucket, upload->path);
    int result = storage_backend(ctx)->commit(ctx, upload, object);
    if (result < 0)
        storage_fail(ctx, result);
    return object;
}

const edge_object *edge_try_storage_put_with(edge_ctx *ctx, edge_error *error, const char *bucket,
    const char *path, const void *data, size_t length, const edge_put_options *options)
{
    if (usable() == NULL) {
        *error = (edge_error){ 503, "not_configured", "STORAGE_DIR is not configured", NULL };
        return NULL;
    }
    edge_upload *upload = edge_storage_create_with(ctx, bucket, path, options);
    edge_object *object = storage_object(ctx, bucket, path);
    int result = storage.backend->put(ctx, upload, data, length, object);
    if (result == 0)
        return object;
    storage_describe(ctx, result, error);
    return NULL;
}

const edge_object *edge_storage_put_with(edge_ctx *ctx, const char *bucket, const char *path, const void *data,
    size_t length, const edge_put_options *options)
{
    edge_error error;
    const edge_object *object = edge_try_storage_put_with(ctx, &error, bucket, path, data, length, options);
    if (object == NULL)
        edge_fail_error(ctx, &error);
    return object;
}

const edge_object *edge_storage_stat(edge_ctx *ctx, const char *bucket, const char *path)
{
    storage_check_names(ctx, bucket, path);
    edge_object *object = storage_object(ctx, bucket, path);
    int result = storage_backend(ctx)->stat(ctx, object);
    if (result < 0 && result != -ENOENT)
        storage_fail(ctx, result);
    return result == 0 ? object : NULL;
}

void edge_storage_delete(edge_ctx *ctx, const char *bucket, const char *path)
{
    storage_check_names(ctx, bucket, path);
    int result = storage_backend(ctx)->remove(ctx, bucket, path);
    if (result < 0)
        storage_fail(ctx, result);
}

const edge_object_list *edge_storage_list_with(
    edge_ctx *ctx, const char *bucket, const edge_list_options *options)
{
    storage_check_names(ctx, bucket, "any");
    const struct edge_list_options wanted = {
        .prefix = options->prefix != NULL ? options->prefix : "",
        .after = options->after != NULL ? options->after : "",
        .limit = options->limit <= 0         ? LIST_DEFAULT
                 : options->limit < LIST_MAX ? options->limit
                                             : LIST_MAX,
    };
    edge_object_list *list = edge_alloc(ctx, sizeof *list);
    int result = storage_backend(ctx)->list(ctx, bucket, &wanted, list);
    if (result < 0)
        storage_fail(ctx, result);
    return list;
}
