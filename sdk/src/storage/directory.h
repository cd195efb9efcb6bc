/*
 * Parts of the directory back end.
 */
#ifndef STORAGE_DIRECTORY_H
#define STORAGE_DIRECTORY_H

#include "storage/storage.h"
#include "storage/tree.h"

int directory_put(
    edge_ctx *ctx, struct edge_upload *upload, const void *data, size_t length, edge_object *object);
int directory_write(edge_ctx *ctx, struct edge_upload *upload, const void *data, size_t length);
int directory_commit(edge_ctx *ctx, struct edge_upload *upload, edge_object *object);

int directory_open(
    edge_ctx *ctx, struct edge_download *download, int64_t offset, int64_t length, edge_object *object);
int directory_read(edge_ctx *ctx, struct edge_download *download, const void **piece, size_t *length);
int directory_stat(edge_ctx *ctx, edge_object *object);

int directory_list(
    edge_ctx *ctx, const char *bucket, const struct edge_list_options *options, edge_object_list *list);

/* What a thread has found out, into the invocation's memory. */
void directory_take_facts(edge_ctx *ctx, const struct tree_facts *facts, edge_object *object);

#endif
