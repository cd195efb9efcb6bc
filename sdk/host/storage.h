/*
 * Object storage from the host's side.
 */
#ifndef HOST_STORAGE_H
#define HOST_STORAGE_H

#include <edge/storage.h>

#include <ev.h>

/* Name of the provider (http.h) whose calls go to the S3-compatible service, signed by libcurl. */
#define STORAGE_PROVIDER "object_store"

struct storage_settings {
    const char *directory;   /* of the directory back end; made when it is first needed */
    bool s3;                 /* the provider is configured: the directory is not used */
    const char *signing_key; /* STORAGE_SIGNING_KEY, or NULL */
    const char *service_key; /* the signing key is derived from it when there is none; may be NULL */
    const char *public_url;  /* base of signed URLs, NULL: the request's origin */
};

/*
 * Starts the worker's storage; settings are copied. The directory is opened by the first call that needs it;
 * when it cannot be used that is logged, and calls answer 503. Returns 0 or a negative errno.
 */
int storage_start(struct ev_loop *loop, const struct storage_settings *settings);

/* Waits for what the disk is doing. No invocation may be left. */
void storage_stop(void);

/* Where signed URLs lead, and what a request for one of them is allowed to. */
#define STORAGE_SIGN_PATH "/storage/v1/object/sign/"

enum storage_grant {
    STORAGE_GRANTED,
    STORAGE_TOKEN_INVALID, /* missing, malformed, forged, or for another object */
    STORAGE_TOKEN_EXPIRED,
    STORAGE_NO_KEY,
};

struct storage_target {
    const char *bucket, *path;
    int64_t expires_s; /* Unix time */
};

/* In an invocation: name is "<bucket>/<path>", decoded; token as in the URL. */
enum storage_grant storage_check(
    edge_ctx *ctx, const char *name, const char *token, struct storage_target *target);

/* Descriptor of a download's file, for sendfile; -1 when it is no file. */
int storage_download_fd(const edge_download *download);

/* As edge_storage_open, but NULL when there is no such object. length 0: nothing is going to be read. */
edge_download *storage_open_existing(edge_ctx *ctx, const char *bucket, const char *path, int64_t offset,
    int64_t length, const edge_object **object);

/* Lets go of a download before the invocation ends. */
void storage_close(edge_download *download);

#endif
