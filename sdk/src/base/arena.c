/*
 * An invocation's memory; see host/arena.h for the model.
 *
 * Chunks of the first size are kept for the next invocation, so that a small one costs no malloc. Under
 * AddressSanitizer every allocation is followed by a poisoned gap, which malloc's would otherwise be.
 */
#include <arena.h>

#include "base/asan.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_CHUNK = 4096,
    SMALL_CHUNK = 2048,
    SMALL_ARENA = 24 * 1024,
    LARGEST_CHUNK = 64 * 1024,
    RESERVE = 32 * 1024,
    POOL_MAX = 2048,
    GAP = WITH_ASAN ? 16 : 0,
};

struct arena_chunk {
    struct arena_chunk *older;
    size_t size; /* header included */
} __attribute__((aligned(16)));

static struct arena_chunk *pool;
static size_t pool_count;
static struct arena *current;

static struct arena_chunk *chunk_take(size_t size)
{
    if (size == FIRST_CHUNK && pool != NULL) {
        struct arena_chunk *chunk = pool;
        UNPOISON(chunk, sizeof *chunk);
        pool = chunk->older;
        pool_count--;
        return chunk;
    }

    struct arena_chunk *chunk = malloc(size);
    if (chunk != NULL)
        chunk->size = size;
    return chunk;
}

static void chunk_give(struct arena_chunk *chunk)
{
    UNPOISON(chunk, chunk->size);
    if (chunk->size != FIRST_CHUNK || pool_count >= POOL_MAX) {
        free(chunk);
        return;
    }
    chunk->older = pool;
    pool = chunk;
    pool_count++;
    POISON(chunk + 1, chunk->size - sizeof *chunk);
}

void arena_init(struct arena *arena, size_t limit_bytes)
{
    *arena = (struct arena){ .limit_bytes = limit_bytes, .next_chunk_bytes = FIRST_CHUNK };
}

void arena_free(struct arena *arena)
{
    struct arena_chunk *chunk = arena->chunks;
    while (chunk != NULL) {
        struct arena_chunk *older = chunk->older;
        chunk_give(chunk);
        chunk = older;
    }
    arena->chunks = NULL;
    arena->next = arena->end = NULL;
    arena->free = NULL;
}

void arena_open_reserve(struct arena *arena)
{
    arena->limit_bytes = arena->used_bytes + RESERVE;
}

/* Counts a new chunk against the limit; NULL when that or the system's memory is used up. */
static struct arena_chunk *chunk_add(struct arena *arena, size_t size)
{
    if (size > arena->limit_bytes || arena->used_bytes > arena->limit_bytes - size)
        return NULL;

    struct arena_chunk *chunk = chunk_take(size);
    if (chunk == NULL)
        return NULL;
    arena->used_bytes += size;
    POISON(chunk + 1, size - sizeof *chunk);
    return chunk;
}

/* A large block gets a chunk of its own behind the current one, whose free part stays in use. */
static void *alloc_large(struct arena *arena, size_t size)
{
    struct arena_chunk *chunk = chunk_add(arena, sizeof *chunk + size);
    if (chunk == NULL)
        return NULL;

    if (arena->chunks != NULL) {
        chunk->older = arena->chunks->older;
        arena->chunks->older = chunk;
    } else {
        chunk->older = NULL;
        arena->chunks = chunk;
    }
    UNPOISON(chunk + 1, size);
    return memset(chunk + 1, 0, size);
}

void *arena_alloc(struct arena *arena, size_t size)
{
    if (size > SIZE_MAX / 2)
        return NULL;
    size_t needed = ((size == 0 ? 1 : size) + GAP + 15) & ~(size_t)15;

    if (needed > (size_t)(arena->end - arena->next)) {
        if (needed > arena->next_chunk_bytes / 2)
            return alloc_large(arena, needed);

        /* Near the limit a smaller chunk still serves; what is left then is less than was asked for. */
        size_t left = arena->limit_bytes - arena->used_bytes, wanted = arena->next_chunk_bytes;
        struct arena_chunk *chunk =
            chunk_add(arena, wanted <= left || left < needed + sizeof *chunk ? wanted : left);
        if (chunk == NULL)
            return NULL;
        chunk->older = arena->chunks;
        arena->chunks = chunk;
        arena->next = (char *)(chunk + 1);
        arena->end = (char *)chunk + chunk->size;
        /* Small steps while it is small: thousands of waiting invocations hold what they do not use. */
        if (arena->used_bytes < SMALL_ARENA)
            arena->next_chunk_bytes = SMALL_CHUNK;
        else if (arena->next_chunk_bytes < LARGEST_CHUNK)
            arena->next_chunk_bytes *= 2;
    }

    void *memory = arena->next;
    arena->next += needed;
    UNPOISON(memory, size);
    return memset(memory, 0, size);
}

struct arena *arena_enter(struct arena *arena)
{
    struct arena *before = current;
    current = arena;
    return before;
}

/*
 * jansson's blocks carry their size, and what it gives back is used again by the same invocation: a stream
 * that builds and drops an event a token stays as small as one event. Sizes are rounded up to a class: steps
 * of 32 bytes up to 1 KiB, then powers of two.
 */
struct json_block {
    size_t class;
    struct json_block *next; /* in its class's list, once given back */
};

enum {
    BLOCK_HEADER = 16,
    SMALL_STEP = 32,
    SMALL_CLASSES = 32,
    CLASS_COUNT = SMALL_CLASSES + 12
};

static size_t class_of(size_t size, size_t *rounded)
{
    if (size <= SMALL_STEP * SMALL_CLASSES) {
        size_t class = size == 0 ? 0 : (size - 1) / SMALL_STEP;
        *rounded = (class + 1) * SMALL_STEP;
        return class;
    }
    size_t class = SMALL_CLASSES;
    *rounded = 2048;
    while (*rounded < size && class < CLASS_COUNT) {
        *rounded *= 2;
        class ++;
    }
    if (class >= CLASS_COUNT)
        *rounded = size;
    return class < CLASS_COUNT ? class : CLASS_COUNT;
}

static void *json_memory(size_t size)
{
    if (current == NULL)
        return malloc(size);

    size_t rounded = 0, class = class_of(size, &rounded);
    struct json_block **free_list = class < CLASS_COUNT && current->free != NULL ? &current->free[class] : NULL;
    struct json_block *block = free_list != NULL ? *free_list : NULL;
    if (block != NULL) {
        UNPOISON(block, BLOCK_HEADER + rounded);
        *free_list = block->next;
    } else {
        block = arena_alloc(current, BLOCK_HEADER + rounded);
        if (block == NULL)
            return NULL;
        block->class = class;
    }
    return (char *)block + BLOCK_HEADER;
}

static void json_release(void *memory)
{
    if (current == NULL) {
        free(memory);
        return;
    }
    if (memory == NULL)
        return;
    struct json_block *block = (void *)((char *)memory - BLOCK_HEADER);
    if (block->class >= CLASS_COUNT)
        return;
    if (current->free == NULL)
        current->free = arena_alloc(current, CLASS_COUNT * sizeof *current->free);
    if (current->free == NULL)
        return;
    block->next = current->free[block->class];
    current->free[block->class] = block;
    size_t rounded = block->class < SMALL_CLASSES ? (block->class + 1) * SMALL_STEP
                                                  : (size_t)2048 << (block->class - SMALL_CLASSES);
    POISON(memory, rounded);
}

void arena_attach_jansson(void)
{
    json_set_alloc_funcs(json_memory, json_release);
}
