/*
 * A worker's memory; see memory_limit.h.
 */
#include "memory_limit.h"

#include "base/asan.h"
#include "plugin/plugin.h"

#include <fiber.h>

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static const size_t LEAST_SHARE = (size_t)1024 * 1024 * 1024;
static const size_t LEAST_RESERVE = (size_t)16 * 1024 * 1024;

static struct {
    size_t bytes; /* 0: no limit */
    size_t stacks;
} limit;

/* A file that holds one number, or "max"; SIZE_MAX without it. */
static size_t read_limit(const char *path)
{
    char text[32] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0)
        close(fd);
    return length > 0 && text[0] >= '0' && text[0] <= '9' ? (size_t)strtoull(text, NULL, 10) : SIZE_MAX;
}

/* The machine's, or the container's: its cgroup is the root of what it sees (cgroup_namespaces(7)). */
static size_t all_memory(void)
{
    size_t machine = (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE);
    size_t group = read_limit("/sys/fs/cgroup/memory.max");
    if (group == SIZE_MAX)
        group = read_limit("/sys/fs/cgroup/memory/memory.limit_in_bytes");
    return group < machine ? group : machine;
}

size_t memory_share(size_t configured, int workers)
{
    if (configured > 0)
        return configured;
    size_t share = all_memory() / (size_t)(workers > 0 ? workers : 1);
    return share > LEAST_SHARE ? share : LEAST_SHARE;
}

static size_t reserve(void)
{
    size_t part = limit.bytes / 16;
    return part > LEAST_RESERVE ? part : LEAST_RESERVE;
}

/* Async-signal-safe, and takes no memory. */
static void allow(size_t bytes)
{
    struct rlimit data;
    if (getrlimit(RLIMIT_DATA, &data) < 0)
        return;
    data.rlim_cur = bytes < data.rlim_max ? bytes : data.rlim_max;
    setrlimit(RLIMIT_DATA, &data);
}

static void stacks_changed(size_t bytes)
{
    limit.stacks = bytes;
    allow(limit.bytes + limit.stacks);
}

void memory_limit_start(size_t bytes)
{
    if (WITH_ASAN)
        return;
    limit.bytes = bytes;
    fiber_on_stacks(stacks_changed);
    allow(limit.bytes + limit.stacks);
}

/* What the kernel holds against the limit: the sixth number of /proc/self/statm, in pages (proc(5)). */
static size_t data_bytes(void)
{
    char text[128] = "";
    unsigned long pages = 0;
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t length = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0)
        close(fd);
    if (length <= 0 || sscanf(text, "%*u %*u %*u %*u %*u %lu", &pages) != 1)
        return 0;
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

bool memory_is_short(size_t *used)
{
    if (limit.bytes == 0)
        return false;
    size_t data = data_bytes();
    *used = data > limit.stacks ? data - limit.stacks : 0;
    return *used > limit.bytes - limit.bytes / 8;
}

bool memory_reserve_open(const void *caller)
{
    if (limit.bytes == 0 || plugin_contains(caller))
        return false;
    allow(limit.bytes + limit.stacks + reserve());
    return true;
}

void *memory_reserve_close(void *memory)
{
    int kept_errno = errno;
    allow(limit.bytes + limit.stacks);
    errno = kept_errno;
    return memory;
}
