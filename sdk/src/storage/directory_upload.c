/*
 * Writing objects into the directory. What a thread works on is malloc'ed and outlives an invocation that is
 * cancelled meanwhile. An upload is a file below TREE_PENDING until it is committed: fsync of the file, rename,
 * fsync of the directory, and only then the call returns.
 */
#include "storage/directory.h"

#include "storage/disk.h"

#include <context.h>

#include <edge/crypto.h>

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    BUFFER_BYTES = 256 * 1024,
    PENDING_NAME = 32
};

struct disk_upload {
    struct disk_job job;
    char *bucket, *path, *buffer;
    size_t length, capacity;
    char pending[PENDING_NAME + 1];
    int root, fd;
    bool named, commit, if_absent;
    EVP_MD_CTX *hash;
    struct tree_facts facts;
    int result;
};

static void upload_drop(struct disk_job *job)
{
    struct disk_upload *upload = (struct disk_upload *)(void *)job;
    if (upload->fd >= 0)
        close(upload->fd);
    if (upload->named) {
        int pending = openat(upload->root, TREE_PENDING, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (pending >= 0) {
            unlinkat(pending, upload->pending, 0);
            close(pending);
        }
    }
    EVP_MD_CTX_free(upload->hash);
    free(upload->bucket);
    free(upload->path);
    free(upload->buffer);
    free(upload);
}

static int open_pending(struct disk_upload *upload)
{
    int pending = openat(upload->root, TREE_PENDING, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (pending < 0)
        return -errno;
    upload->fd = openat(pending, upload->pending, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    int result = upload->fd >= 0 ? 0 : -errno;
    upload->named = upload->fd >= 0;
    close(pending);
    return result;
}

static int flush_buffer(struct disk_upload *upload)
{
    if (EVP_DigestUpdate(upload->hash, upload->buffer, upload->length) != 1)
        return -EIO;
    upload->facts.size_bytes += (int64_t)upload->length;
    int result = tree_write(upload->fd, upload->buffer, upload->length);
    upload->length = 0;
    return result;
}

static int finish_file(struct disk_upload *upload)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t digest[EVP_MAX_MD_SIZE];
    if (EVP_DigestFinal_ex(upload->hash, digest, NULL) != 1)
        return -EIO;
    for (size_t i = 0; i < TREE_ETAG_LENGTH; i++)
        upload->facts.etag[i] = digits[i % 2 == 0 ? digest[i / 2] >> 4 : digest[i / 2] & 15];
    int result = tree_write_footer(upload->fd, &upload->facts);
    if (result == 0 && fsync(upload->fd) < 0)
        result = -errno;
    return result;
}

/* In a thread. */
static void upload_work(struct disk_job *job)
{
    struct disk_upload *upload = (struct disk_upload *)(void *)job;
    int result = upload->fd < 0 ? open_pending(upload) : 0;
    if (result == 0)
        result = flush_buffer(upload);
    if (result == 0 && upload->commit)
        result = finish_file(upload);
    if (result == 0 && upload->commit) {
        result = tree_place(upload->root, upload->pending, upload->bucket, upload->path, upload->if_absent);
        upload->named = result != 0;
    }
    upload->result = result;
}

static void upload_forget(void *arg)
{
    struct edge_upload *upload = arg;
    if (upload->disk != NULL)
        disk_forget(&upload->disk->job);
    upload->disk = NULL;
}

static struct disk_upload *upload_make(edge_ctx *ctx, const struct edge_upload *from)
{
    struct disk_upload *upload = calloc(1, sizeof *upload);
    if (upload == NULL)
        return NULL;
    upload->job.work = upload_work;
    upload->job.drop = upload_drop;
    upload->root = storage_root();
    upload->fd = -1;
    upload->if_absent = from->if_absent;
    upload->bucket = strdup(from->bucket);
    upload->path = strdup(from->path);
    upload->hash = EVP_MD_CTX_new();
    strncpy(upload->facts.content_type, from->content_type, TREE_TYPE_MAX);
    uint8_t random[PENDING_NAME / 2];
    edge_random(random, sizeof random);
    memcpy(upload->pending, edge_hex(ctx, random, sizeof random), PENDING_NAME + 1);
    if (upload->bucket != NULL && upload->path != NULL && upload->hash != NULL &&
        EVP_DigestInit_ex(upload->hash, EVP_sha256(), NULL) == 1)
        return upload;
    upload_drop(&upload->job);
    return NULL;
}

/* Grows with what is written, to one buffer: a small object takes a small one. */
static bool make_room(struct disk_upload *upload, size_t length)
{
    size_t wanted = length < BUFFER_BYTES - upload->length ? upload->length + length : BUFFER_BYTES;
    if (wanted <= upload->capacity)
        return true;
    char *buffer = realloc(upload->buffer, wanted);
    if (buffer == NULL)
        return false;
    upload->buffer = buffer;
    upload->capacity = wanted;
    return true;
}

static int upload_step(struct disk_upload *upload)
{
    int result = disk_run(&upload->job);
    return result == 0 ? upload->result : result;
}

int directory_write(edge_ctx *ctx, struct edge_upload *upload, const void *data, size_t length)
{
    if (upload->disk == NULL) {
        /* The registration comes first: it may run out of memory, and nothing may be lost by that. */
        storage_at_end(ctx, upload_forget, upload);
        upload->disk = upload_make(ctx, upload);
        if (upload->disk == NULL)
            return -ENOMEM;
    }
    struct disk_upload *disk = upload->disk;
    int result = 0;
    for (const char *at = data; length > 0 && result == 0;) {
        if (!make_room(disk, length))
            return -ENOMEM;
        size_t taken = length < disk->capacity - disk->length ? length : disk->capacity - disk->length;
        memcpy(disk->buffer + disk->length, at, taken);
        disk->length += taken;
        at += taken;
        length -= taken;
        if (disk->length == BUFFER_BYTES)
            result = upload_step(disk);
    }
    if (result < 0)
        upload_forget(upload); /* a full disk is given its room back at once */
    return result;
}

void directory_take_facts(edge_ctx *ctx, const struct tree_facts *facts, edge_object *object)
{
    object->content_type = edge_copy(ctx, facts->content_type);
    object->etag = edge_copy(ctx, facts->etag);
    object->size_bytes = facts->size_bytes;
    object->modified_us = facts->modified_us;
}

int directory_commit(edge_ctx *ctx, struct edge_upload *upload, edge_object *object)
{
    int result = directory_write(ctx, upload, NULL, 0); /* one that is empty is made here */
    if (result < 0)
        return result;
    upload->disk->commit = true;
    result = upload_step(upload->disk);
    if (result == 0)
        directory_take_facts(ctx, &upload->disk->facts, object);
    object->modified_us = edge_now_exact();
    upload_forget(upload);
    return result;
}

int directory_put(
    edge_ctx *ctx, struct edge_upload *upload, const void *data, size_t length, edge_object *object)
{
    int result = directory_write(ctx, upload, data, length);
    return result == 0 ? directory_commit(ctx, upload, object) : result;
}
