/*
 * Listing the directory's objects, from the fiber.
 */
#include "storage/directory.h"

#include "storage/disk.h"
#include "storage/tree_list.h"

#include <context.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct disk_list {
    struct disk_job job;
    struct tree_list list;
    int result;
};

static void list_work(struct disk_job *job)
{
    struct disk_list *listing = (struct disk_list *)(void *)job;
    listing->result = tree_list(&listing->list);
}

static void list_drop(struct disk_job *job)
{
    struct disk_list *listing = (struct disk_list *)(void *)job;
    tree_list_free(&listing->list);
    free(listing);
}

static void list_forget(void *arg)
{
    struct disk_list **listing = arg;
    if (*listing != NULL)
        disk_forget(&(*listing)->job);
    *listing = NULL;
}

static struct disk_list *list_make(const char *bucket, const struct edge_list_options *options)
{
    struct disk_list *listing = calloc(1, sizeof *listing);
    if (listing == NULL)
        return NULL;
    struct tree_list *list = &listing->list;
    listing->job.work = list_work;
    listing->job.drop = list_drop;
    list->root = storage_root();
    list->limit = (size_t)options->limit;
    list->bucket = strdup(bucket);
    list->prefix = strdup(options->prefix);
    list->after = strdup(options->after);
    list->found = calloc(list->limit, sizeof *list->found);
    if (list->bucket != NULL && list->prefix != NULL && list->after != NULL && list->found != NULL)
        return listing;
    list_drop(&listing->job);
    return NULL;
}

static void take_list(edge_ctx *ctx, const struct tree_list *from, edge_object_list *list)
{
    edge_object *objects = edge_alloc(ctx, (from->count + 1) * sizeof *objects);
    const char *bucket = edge_copy(ctx, from->bucket);
    for (size_t i = 0; i < from->count; i++) {
        objects[i].bucket = bucket;
        objects[i].path = edge_copy(ctx, from->found[i].path);
        directory_take_facts(ctx, &from->found[i].facts, &objects[i]);
    }
    list->objects = objects;
    list->count = from->count;
    list->next = from->more && from->count > 0 ? objects[from->count - 1].path : NULL;
}

int directory_list(
    edge_ctx *ctx, const char *bucket, const struct edge_list_options *options, edge_object_list *list)
{
    struct disk_list **held = edge_alloc(ctx, sizeof *held);
    storage_at_end(ctx, list_forget, held);
    struct disk_list *listing = *held = list_make(bucket, options);
    if (listing == NULL)
        return -ENOMEM;
    int result = disk_run(&listing->job);
    if (result == 0)
        result = listing->result;
    if (result == 0)
        take_list(ctx, &listing->list, list);
    list_forget(held);
    return result;
}
