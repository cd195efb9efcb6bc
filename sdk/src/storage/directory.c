/*
 * The directory back end, seen from the fiber: see directory.h for its parts.
 */
#include "storage/directory.h"

#include "storage/disk.h"

#include <context.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct disk_remove {
    struct disk_job job;
    char *bucket, *path;
    int root, result;
};

static void remove_work(struct disk_job *job)
{
    struct disk_remove *removal = (struct disk_remove *)(void *)job;
    removal->result = tree_remove(removal->root, removal->bucket, removal->path);
}

static void remove_drop(struct disk_job *job)
{
    struct disk_remove *removal = (struct disk_remove *)(void *)job;
    free(removal->bucket);
    free(removal->path);
    free(removal);
}

static void remove_forget(void *arg)
{
    struct disk_remove **removal = arg;
    if (*removal != NULL)
        disk_forget(&(*removal)->job);
    *removal = NULL;
}

static int directory_remove(edge_ctx *ctx, const char *bucket, const char *path)
{
    struct disk_remove **held = edge_alloc(ctx, sizeof *held);
    storage_at_end(ctx, remove_forget, held);
    struct disk_remove *removal = *held = calloc(1, sizeof *removal);
    if (removal == NULL)
        return -ENOMEM;
    removal->job.work = remove_work;
    removal->job.drop = remove_drop;
    removal->root = storage_root();
    removal->bucket = strdup(bucket);
    removal->path = strdup(path);
    int result = removal->bucket != NULL && removal->path != NULL ? disk_run(&removal->job) : -ENOMEM;
    if (result == 0)
        result = removal->result;
    remove_forget(held);
    return result;
}

const struct backend directory_backend = {
    .put = directory_put,
    .write = directory_write,
    .commit = directory_commit,
    .stat = directory_stat,
    .open = directory_open,
    .read = directory_read,
    .remove = directory_remove,
    .list = directory_list,
};
