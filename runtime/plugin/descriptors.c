/*
 * Who has opened which descriptor; see descriptors.h. A table by number, as numbers are small and dense, and a
 * list for each invocation.
 */
#include "descriptors.h"

#include <context.h>
#include <log.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    LINES_MAX = 8 /* in the log, of one invocation; the rest is counted */
};

struct descriptor {
    struct descriptor *previous, *next; /* of the same invocation */
    edge_ctx *ctx;
    int fd;
    enum descriptor_kind kind;
    void *stream;
    dev_t device;
    ino_t inode;
};

struct number {
    struct descriptor *open; /* by an invocation; NULL: not so */
    bool closed;             /* by a plugin that had opened it, and no plugin has opened it since */
};

static struct {
    struct number *numbers;
    size_t count;
} table;

static struct number *number_of(int fd)
{
    return fd >= 0 && (size_t)fd < table.count ? &table.numbers[fd] : NULL;
}

static bool make_room(int fd)
{
    size_t count = table.count > 0 ? table.count : 64;
    while (count <= (size_t)fd)
        count *= 2;
    if (count == table.count)
        return true;
    struct number *numbers = realloc(table.numbers, count * sizeof *numbers);
    if (numbers == NULL)
        return false;
    memset(numbers + table.count, 0, (count - table.count) * sizeof *numbers);
    table.numbers = numbers;
    table.count = count;
    return true;
}

static void drop(struct number *number)
{
    struct descriptor *one = number->open;
    number->open = NULL;
    if (one == NULL)
        return;
    if (one->previous != NULL)
        one->previous->next = one->next;
    else
        one->ctx->descriptors = one->next;
    if (one->next != NULL)
        one->next->previous = one->previous;
    free(one);
}

static void add(struct number *number, edge_ctx *ctx, const struct descriptor *like)
{
    struct descriptor *one = malloc(sizeof *one);
    if (one == NULL)
        return; /* then it is not looked after */
    *one = *like;
    one->ctx = ctx;
    one->previous = NULL;
    one->next = ctx->descriptors;
    if (one->next != NULL)
        one->next->previous = one;
    ctx->descriptors = one;
    number->open = one;
}

void descriptors_opened(int fd, enum descriptor_kind kind, void *stream)
{
    const struct fiber *fiber = fiber_current();
    int kept_errno = errno;
    struct stat status;
    if (fd >= 0 && make_room(fd)) {
        struct number *number = number_of(fd);
        drop(number); /* whoever had that number has closed it without our knowledge */
        number->closed = false;
        if (fiber != NULL && fstat(fd, &status) == 0)
            add(number, fiber_context(fiber),
                &(const struct descriptor){ .fd = fd,
                    .kind = kind,
                    .stream = stream,
                    .device = status.st_dev,
                    .inode = status.st_ino });
    }
    errno = kept_errno;
}

static void path_of(int fd, char *path, size_t size)
{
    char link[32];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, size - 1);
    path[length > 0 ? length : 0] = '\0';
}

/* Where fd is open again, as somebody else's. */
static bool refuse(int fd)
{
    char path[256];
    const struct fiber *fiber = fiber_current();
    edge_ctx *ctx = fiber != NULL ? fiber_context(fiber) : NULL;
    if (fcntl(fd, F_GETFD) >= 0) {
        path_of(fd, path, sizeof path);
        edge_log(
            ctx, EDGE_LOG_WARN, "descriptor_closed_twice", { "fd", edge_int(fd) }, { "now", edge_text(path) });
        if (ctx != NULL)
            ctx->usage.defect_count++;
    }
    errno = EBADF;
    return false;
}

bool descriptors_closing(int fd)
{
    struct number *number = number_of(fd);
    const struct fiber *fiber = fiber_current();
    if (number == NULL)
        return true;
    bool others = number->open != NULL && fiber != NULL && number->open->ctx != fiber_context(fiber);
    if (number->closed || others)
        return refuse(fd);
    number->closed = number->open != NULL;
    drop(number);
    return true;
}

/* False when the number has come to be another file's: then somebody has closed it without our knowledge. */
static bool is_open(const struct descriptor *one)
{
    struct stat status;
    return fstat(one->fd, &status) == 0 && status.st_dev == one->device && status.st_ino == one->inode;
}

static void close_it(const struct descriptor *one)
{
    if (one->kind == DESCRIPTOR_STREAM)
        fclose(one->stream);
    else if (one->kind == DESCRIPTOR_DIRECTORY)
        closedir(one->stream);
    else
        close(one->fd);
}

static void report(edge_ctx *ctx, const struct descriptor *one)
{
    char path[256];
    path_of(one->fd, path, sizeof path);
    edge_log(
        ctx, EDGE_LOG_WARN, "descriptor_left_open", { "fd", edge_int(one->fd) }, { "path", edge_text(path) });
}

void descriptors_end(edge_ctx *ctx)
{
    uint32_t count = 0;
    while (ctx->descriptors != NULL) {
        struct descriptor one = *ctx->descriptors;
        drop(number_of(one.fd));
        if (!is_open(&one))
            continue;
        if (count++ < LINES_MAX)
            report(ctx, &one);
        close_it(&one);
    }
    ctx->usage.defect_count += count;
    if (count > LINES_MAX)
        edge_log(ctx, EDGE_LOG_WARN, "descriptors_left_open", { "count", edge_int(count) });
}

void descriptors_forget(edge_ctx *ctx)
{
    while (ctx->descriptors != NULL)
        drop(number_of(ctx->descriptors->fd));
}
