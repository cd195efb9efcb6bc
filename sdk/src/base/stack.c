/*
 * The pool of stacks; see stack.h. A free stack links to the next one in its highest bytes, in the page that
 * every fiber touches anyway.
 */
#include "base/stack.h"

#include "base/asan.h"

#include <string.h>
#include <sys/mman.h>

enum {
    POOL_WARM = 64,
    POOL_MAX = 4096
};

static struct {
    size_t bytes, page, count, mapped;
    char *first;
} pool;

static char *link_of(char *mapping)
{
    return mapping + pool.page + pool.bytes - sizeof mapping;
}

static char *map_stack(void)
{
    size_t size = pool.page + pool.bytes;
    char *mapping = mmap(
        NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (mapping == MAP_FAILED)
        return NULL;
    if (mprotect(mapping, pool.page, PROT_NONE) < 0) {
        munmap(mapping, size);
        return NULL;
    }
    pool.mapped++;
    return mapping;
}

static void unmap_stack(char *mapping)
{
    munmap(mapping, pool.page + pool.bytes);
    pool.mapped--;
}

char *stack_take(void)
{
    char *mapping = pool.first;
    if (mapping == NULL)
        return map_stack();
    memcpy(&pool.first, link_of(mapping), sizeof pool.first);
    pool.count--;
    return mapping;
}

/*
 * A few stacks stay warm. The rest keep their mapping and give their pages back, all but the top one that
 * every fiber touches, so that a burst of ten thousand does not stay resident for ever.
 */
void stack_give(char *mapping)
{
    if (pool.count >= POOL_MAX) {
        unmap_stack(mapping);
        return;
    }
    if (pool.count >= POOL_WARM)
        madvise(mapping + pool.page, pool.bytes - pool.page, MADV_DONTNEED);
    UNPOISON(mapping + pool.page, pool.bytes);
    memcpy(link_of(mapping), &pool.first, sizeof pool.first);
    pool.first = mapping;
    pool.count++;
}

void stack_pool_start(size_t bytes, size_t page)
{
    pool.bytes = bytes;
    pool.page = page;
}

void stack_pool_stop(void)
{
    while (pool.first != NULL)
        unmap_stack(stack_take());
}

size_t stack_pool_mapped(void)
{
    return pool.mapped;
}
