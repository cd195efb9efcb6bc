/*
 * What the two back ends of object storage share. Their calls run in a fiber and answer 0 or a negative errno;
 * -ENOENT, -EEXIST, -ENOSPC mean what they say to functions, all others are the back end's fault.
 */
#ifndef STORAGE_STORAGE_H
#define STORAGE_STORAGE_H

#include <storage.h>

#include <edge/storage.h>

struct disk_upload;
struct disk_download;
struct s3_upload;

enum {
    STORAGE_PIECE_BYTES = 64 * 1024
};

struct edge_upload {
    const char *bucket, *path, *content_type;
    bool if_absent, ended;
    struct disk_upload *disk; /* not the arena's: a thread may be at it when the invocation ends */
    struct s3_upload *s3;
};

struct edge_download {
    struct disk_download *disk; /* as above */
    struct edge_reply *reply;
};

struct backend {
    /* All of an object at once; data is the caller's. */
    int (*put)(edge_ctx *ctx, struct edge_upload *upload, const void *data, size_t length, edge_object *object);
    int (*write)(edge_ctx *ctx, struct edge_upload *upload, const void *data, size_t length);
    int (*commit)(edge_ctx *ctx, struct edge_upload *upload, edge_object *object);
    int (*stat)(edge_ctx *ctx, edge_object *object); /* bucket and path are filled in */
    /* length -1: all that follows offset. */
    int (*open)(
        edge_ctx *ctx, struct edge_download *download, int64_t offset, int64_t length, edge_object *object);
    int (*read)(edge_ctx *ctx, struct edge_download *download, const void **piece, size_t *length);
    int (*remove)(edge_ctx *ctx, const char *bucket, const char *path);
    int (*list)(
        edge_ctx *ctx, const char *bucket, const struct edge_list_options *options, edge_object_list *list);
};

extern const struct backend directory_backend, s3_backend;

/* The directory's; negative when it cannot be used. */
int storage_root(void);

/* Calls fn(arg) when the invocation's own part ends, or, in background work, when that does. */
void storage_at_end(edge_ctx *ctx, void (*fn)(void *arg), void *arg);

/* The back end in use; 503 without one. */
const struct backend *storage_backend(edge_ctx *ctx);

/* An object of which only the names are known yet. */
edge_object *storage_object(edge_ctx *ctx, const char *bucket, const char *path);

/* A function's content type, or the default; 400 when it is none. */
const char *storage_media_type(edge_ctx *ctx, const char *type);

/* How a failure is told. */
void storage_describe(edge_ctx *ctx, int result, edge_error *error);
EDGE_NORETURN void storage_fail(edge_ctx *ctx, int result);

/* Ends the invocation with 400 for a bucket or path that is none (path NULL: not looked at). */
void storage_check_names(edge_ctx *ctx, const char *bucket, const char *path);
bool storage_names_are_sound(const char *bucket, const char *path);

#endif
