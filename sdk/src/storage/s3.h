/*
 * Parts of the S3 back end.
 */
#ifndef STORAGE_S3_H
#define STORAGE_S3_H

#include "storage/storage.h"

#include <edge/http.h>

/* "/<bucket>/<path>", percent-encoded as both the request and its signature want it. */
const char *s3_path(edge_ctx *ctx, const char *bucket, const char *path);

/* 0, or what the service's answer means; what it said goes to the log. */
int s3_outcome(edge_ctx *ctx, const char *what, const edge_reply *reply);

/* Sends a request with a body; the header with its hash is added. */
edge_reply *s3_send(edge_ctx *ctx, edge_fetch_options *options, const void *body, size_t length);

/* What a request without a body says of it; S3 wants to be told. */
#define S3_EMPTY                                                                                               \
    {                                                                                                          \
        "x-amz-content-sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"             \
    }
extern const edge_header s3_no_body[];

/* Text between <name> and </name>, from *at on, which is moved behind it; NULL when there is none. */
char *s3_element(edge_ctx *ctx, const char **at, const char *name);

int s3_put(edge_ctx *ctx, struct edge_upload *upload, const void *data, size_t length, edge_object *object);
int s3_write(edge_ctx *ctx, struct edge_upload *upload, const void *data, size_t length);
int s3_commit(edge_ctx *ctx, struct edge_upload *upload, edge_object *object);
int s3_list(edge_ctx *ctx, const char *bucket, const struct edge_list_options *options, edge_object_list *list);

#endif
