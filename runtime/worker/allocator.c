/*
 * malloc and its kin with a mark around them, and the worker's reserve behind them (memory_limit.h); see
 * allocator.h. glibc keeps its own under __libc_ names for
 * those who put theirs in front. AddressSanitizer has its own in front, and its reports are wanted instead.
 */
#include "allocator.h"

#include "memory_limit.h"

#include "base/asan.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#if !WITH_ASAN

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void __libc_free(void *memory);

static __thread volatile int depth __attribute__((tls_model("initial-exec")));

enum {
    CACHED_MAX = 1032
};

#define EXPORTED __attribute__((visibility("default")))

EXPORTED void *malloc(size_t size)
{
    depth++;
    void *memory = __libc_malloc(size);
    if (memory == NULL && memory_reserve_open(__builtin_return_address(0)))
        memory = memory_reserve_close(__libc_malloc(size));
    depth--;
    return memory;
}

/* glibc 2.36's calloc does not look into the thread's cache, which has nearly every small block. */
static void *zeroed(size_t count, size_t size)
{
    size_t bytes = 0;
    if (__builtin_mul_overflow(count, size, &bytes) || bytes > CACHED_MAX)
        return __libc_calloc(count, size);
    void *memory = __libc_malloc(bytes);
    return memory != NULL ? memset(memory, 0, bytes) : NULL;
}

EXPORTED void *calloc(size_t count, size_t size)
{
    depth++;
    void *memory = zeroed(count, size);
    if (memory == NULL && memory_reserve_open(__builtin_return_address(0)))
        memory = memory_reserve_close(__libc_calloc(count, size));
    depth--;
    return memory;
}

EXPORTED void *realloc(void *memory, size_t size)
{
    depth++;
    void *moved = __libc_realloc(memory, size);
    if (moved == NULL && size > 0 && memory_reserve_open(__builtin_return_address(0)))
        moved = memory_reserve_close(__libc_realloc(memory, size));
    depth--;
    return moved;
}

EXPORTED void free(void *memory)
{
    depth++;
    __libc_free(memory);
    depth--;
}

bool allocator_busy(void)
{
    return depth != 0;
}

#else

bool allocator_busy(void)
{
    return false;
}

#endif
