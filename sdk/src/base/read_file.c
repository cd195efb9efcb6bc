/*
 * Files that the operator provides, mapped: one of any length takes no memory of the invocation.
 */
#include <edge/base.h>

#include <context.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct mapping {
    void *data;
    size_t length;
};

static void unmap(void *arg)
{
    struct mapping *mapping = arg;
    munmap(mapping->data, mapping->length);
}

/* The kernel sees to it that no name leads out of the directory. */
static int open_under(const char *directory, const char *path)
{
    const struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK, .resolve = RESOLVE_BENEATH };
    int base = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (base < 0)
        return -1;
    int fd = (int)syscall(SYS_openat2, base, path, &how, sizeof how);
    close(base);
    return fd;
}

const void *edge_file_read(edge_ctx *ctx, const char *directory, const char *path, size_t *length)
{
    struct mapping *mapping = edge_alloc(ctx, sizeof *mapping);
    struct stat status;
    int fd = open_under(directory, path);
    if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM))
        edge_fail(ctx, 503, "overloaded", "The host has too many files open");
    bool regular = fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
    *length = mapping->length = regular ? (size_t)status.st_size : 0;
    if (mapping->length > 0)
        mapping->data = mmap(NULL, mapping->length, PROT_READ, MAP_PRIVATE, fd, 0);
    if (fd >= 0)
        close(fd);
    if (!regular || mapping->length == 0)
        return regular ? "" : NULL;
    if (mapping->data == MAP_FAILED)
        edge_fail(ctx, 503, "overloaded", "The host is out of memory");
    edge_defer(ctx, unmap, mapping);
    return mapping->data;
}
