/*
 * Reading objects from the directory, a piece at a time.
 */
#include "storage/directory.h"

#include "storage/disk.h"

#include <context.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct disk_download {
    struct disk_job job;
    char *bucket, *path, *buffer;
    int root, fd;
    int64_t offset, left; /* left -1 before it is open: all */
    size_t length;
    struct tree_facts facts;
    int result;
};

static void download_drop(struct disk_job *job)
{
    struct disk_download *download = (struct disk_download *)(void *)job;
    if (download->fd >= 0)
        close(download->fd);
    free(download->bucket);
    free(download->path);
    free(download->buffer);
    free(download);
}

static int begin_download(struct disk_download *download)
{
    download->fd = tree_open(download->root, download->bucket, download->path, &download->facts);
    if (download->fd < 0)
        return download->fd;
    int64_t follows = download->facts.size_bytes - download->offset;
    if (follows < 0)
        follows = 0;
    if (download->left < 0 || download->left > follows)
        download->left = follows;
    posix_fadvise(download->fd, download->offset, download->left, POSIX_FADV_SEQUENTIAL);
    return 0;
}

/* In a thread: opens, and from then on reads a piece. */
static void download_work(struct disk_job *job)
{
    struct disk_download *download = (struct disk_download *)(void *)job;
    if (download->fd < 0) {
        download->result = begin_download(download);
        return;
    }
    size_t wanted = download->left < STORAGE_PIECE_BYTES ? (size_t)download->left : STORAGE_PIECE_BYTES;
    ssize_t got = pread(download->fd, download->buffer, wanted, download->offset);
    download->result = got < 0 ? -errno : got == 0 ? -EIO : 0;
    download->length = got > 0 ? (size_t)got : 0;
    download->offset += (int64_t)download->length;
    download->left -= (int64_t)download->length;
}

static void download_forget(void *arg)
{
    struct edge_download *download = arg;
    if (download->disk != NULL)
        disk_forget(&download->disk->job);
    download->disk = NULL;
}

static struct disk_download *download_make(const edge_object *object, int64_t offset, int64_t length)
{
    struct disk_download *download = calloc(1, sizeof *download);
    if (download == NULL)
        return NULL;
    download->job.work = download_work;
    download->job.drop = download_drop;
    download->root = storage_root();
    download->fd = -1;
    download->offset = offset;
    download->left = length;
    download->bucket = strdup(object->bucket);
    download->path = strdup(object->path);
    if (download->bucket != NULL && download->path != NULL)
        return download;
    download_drop(&download->job);
    return NULL;
}

int directory_open(
    edge_ctx *ctx, struct edge_download *download, int64_t offset, int64_t length, edge_object *object)
{
    storage_at_end(ctx, download_forget, download);
    download->disk = download_make(object, offset, length);
    if (download->disk == NULL)
        return -ENOMEM;
    int result = disk_run(&download->disk->job);
    result = result == 0 ? download->disk->result : result;
    if (result == 0)
        directory_take_facts(ctx, &download->disk->facts, object);
    else
        download_forget(download);
    return result;
}

int directory_read(edge_ctx *ctx, struct edge_download *download, const void **piece, size_t *length)
{
    (void)ctx;
    struct disk_download *disk = download->disk;
    *piece = NULL;
    *length = 0;
    if (disk == NULL || disk->left == 0)
        return 0;
    if (disk->buffer == NULL)
        disk->buffer =
            malloc(disk->left < STORAGE_PIECE_BYTES ? (size_t)disk->left : (size_t)STORAGE_PIECE_BYTES);
    if (disk->buffer == NULL)
        return -ENOMEM;
    int result = disk_run(&disk->job);
    result = result == 0 ? disk->result : result;
    *piece = disk->buffer;
    *length = disk->length;
    return result;
}

int directory_stat(edge_ctx *ctx, edge_object *object)
{
    struct edge_download *download = edge_alloc(ctx, sizeof *download);
    int result = directory_open(ctx, download, 0, 0, object);
    download_forget(download);
    return result;
}

int storage_download_fd(const edge_download *download)
{
    return download->disk != NULL ? download->disk->fd : -1;
}

void storage_close(edge_download *download)
{
    download_forget(download);
}
