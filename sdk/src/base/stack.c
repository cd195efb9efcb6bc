/*
 * The pool of stacks; see stack.h. A free stack links to the next one in its highest bytes, in the page that
 * every fiber touches anyway.
 */
#include "base/stack.h"

#include "base/asan.h"

#include <string.h>
#include <sys/mman.h>

enum {
    WARM_MAX = 64,
    COLD_MAX = 4096,
    TRIM_MARGIN = 512
};

/* Free stacks, each linking to the next. */
struct stack_list {
    char *first;
    size_t count;
};

static struct {
    size_t bytes, page, mapped;
    void (*changed)(size_t bytes); /* is told how much all of them take */
    struct stack_list warm;        /* as their last fiber left them */
    struct stack_list cold;        /* of a burst: only their highest page is resident */
} pool;

static char *link_of(char *mapping)
{
    return mapping + pool.page + pool.bytes - sizeof mapping;
}

/* Before more is mapped, and when less is. */
static void count(size_t mapped)
{
    pool.mapped = mapped;
    if (pool.changed != NULL)
        pool.changed(mapped * (pool.page + pool.bytes));
}

static char *map_stack(void)
{
    size_t size = pool.page + pool.bytes;
    count(pool.mapped + 1);
    char *mapping = mmap(
        NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (mapping != MAP_FAILED && mprotect(mapping, pool.page, PROT_NONE) == 0)
        return mapping;
    if (mapping != MAP_FAILED)
        munmap(mapping, size);
    count(pool.mapped - 1);
    return NULL;
}

static void unmap_stack(char *mapping)
{
    munmap(mapping, pool.page + pool.bytes);
    count(pool.mapped - 1);
}

static char *pop(struct stack_list *list)
{
    char *mapping = list->first;
    if (mapping == NULL)
        return NULL;
    memcpy(&list->first, link_of(mapping), sizeof list->first);
    list->count--;
    return mapping;
}

static void push(struct stack_list *list, char *mapping)
{
    memcpy(link_of(mapping), &list->first, sizeof list->first);
    list->first = mapping;
    list->count++;
}

char *stack_take(void)
{
    char *mapping = pop(&pool.warm);
    if (mapping == NULL)
        mapping = pop(&pool.cold);
    return mapping != NULL ? mapping : map_stack();
}

/*
 * A few stacks stay warm and are taken first, so that a calm host pays for no system call. The rest keep their
 * mapping and give their pages back, all but the top one that every fiber touches, so that a burst of ten
 * thousand does not stay resident for ever.
 */
void stack_give(char *mapping)
{
    UNPOISON(mapping + pool.page, pool.bytes);
    if (pool.warm.count < WARM_MAX) {
        push(&pool.warm, mapping);
        return;
    }
    if (pool.cold.count >= COLD_MAX) {
        unmap_stack(mapping);
        return;
    }
    madvise(mapping + pool.page, pool.bytes - pool.page, MADV_DONTNEED);
    push(&pool.cold, mapping);
}

/* What this call itself needs lies below its frame. */
void stack_trim(char *mapping)
{
    const char *lowest = (const char *)__builtin_frame_address(0) - TRIM_MARGIN;
    size_t unused = (size_t)(lowest - mapping) / pool.page * pool.page;
    if (unused > pool.page)
        madvise(mapping + pool.page, unused - pool.page, MADV_DONTNEED);
}

void stack_pool_start(size_t bytes, size_t page)
{
    pool.bytes = bytes;
    pool.page = page;
}

void stack_pool_on_change(void (*changed)(size_t bytes))
{
    pool.changed = changed;
}

void stack_pool_stop(void)
{
    while (pool.warm.count + pool.cold.count > 0)
        unmap_stack(stack_take());
}

size_t stack_pool_mapped(void)
{
    return pool.mapped;
}
