/*
 * An invocation's memory; see host/arena.h for the model.
 *
 * Chunks of the first size are kept for the next invocation, so that a small one costs no malloc. Under
 * AddressSanitizer every allocation is followed by a poisoned gap, which malloc's would otherwise be.
 */
#include <arena.h>

#include <context.h>

#include "base/asan.h"

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_CHUNK = 4096,
    SMALL_CHUNK = 1024,
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
        if (arena->wipe) {
            UNPOISON(chunk, chunk->size);
            explicit_bzero(chunk + 1, chunk->size - sizeof *chunk);
        }
        chunk_give(chunk);
        chunk = older;
    }
    arena->chunks = NULL;
    arena->next = arena->end = NULL;
    arena->free = NULL;
}

bool arena_refuses(struct arena_fault *fault)
{
    if (fault->left == 0)
        return false;
    if (fault->left > 1) {
        fault->left--;
        return false;
    }
    fault->left = fault->lasting ? 1 : 0;
    fault->happened = true;
    return true;
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
    if (size > SIZE_MAX / 2 || arena_refuses(&arena->fault))
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
 * jansson's blocks carry their list before them, and what it gives back is used again by the same invocation:
 * a stream that builds and drops an event a token stays as small as one event. Sizes are rounded up so that
 * they meet again: in steps of 16 bytes, then of 256, then by powers of two. A value needs 8 bytes' alignment.
 */
struct json_block {
    size_t list;
    struct json_block *next; /* in its list, once given back: lies in the value's place */
};

enum {
    BLOCK_HEADER = 8,
    FINE_LISTS = 31,   /* values of 24, 40, … 504 bytes */
    MIDDLE_LISTS = 30, /* of 760, 1016, … 8184 */
    COARSE_LISTS = 10, /* of 16 KiB - 8, … 8 MiB - 8 */
    LIST_COUNT = FINE_LISTS + MIDDLE_LISTS + COARSE_LISTS
};

static size_t list_size(size_t list)
{
    if (list < FINE_LISTS)
        return 24 + list * 16;
    list -= FINE_LISTS;
    if (list < MIDDLE_LISTS)
        return 760 + list * 256;
    return ((size_t)16384 << (list - MIDDLE_LISTS)) - BLOCK_HEADER;
}

/* The list of the smallest blocks that hold size; LIST_COUNT: none does. */
static size_t list_of(size_t size)
{
    if (size <= list_size(FINE_LISTS - 1))
        return size <= 24 ? 0 : (size - 24 + 15) / 16;
    if (size <= list_size(FINE_LISTS + MIDDLE_LISTS - 1))
        return FINE_LISTS + (size <= 760 ? 0 : (size - 760 + 255) / 256);
    size_t list = FINE_LISTS + MIDDLE_LISTS;
    while (list < LIST_COUNT && list_size(list) < size)
        list++;
    return list;
}

/*
 * Few callers of jansson look for NULL, and those that do cannot tell it from bad UTF-8. Whatever jansson was
 * about to do is the invocation's memory, so it can be left as it is.
 */
static void *refuse_json(size_t size)
{
    struct fiber *fiber = fiber_current();
    if (fiber != NULL && &fiber_context(fiber)->arena == current)
        context_memory_limit(fiber_context(fiber), size);
    return NULL;
}

static void *json_memory(size_t size)
{
    if (current == NULL)
        return malloc(size);

    size_t list = list_of(size);
    struct json_block *block = list < LIST_COUNT && current->free != NULL ? current->free[list] : NULL;
    if (block != NULL) {
        UNPOISON((char *)block + BLOCK_HEADER, list_size(list));
        current->free[list] = block->next;
        return (char *)block + BLOCK_HEADER;
    }
    block = size > SIZE_MAX / 4
                ? NULL
                : arena_alloc(current, BLOCK_HEADER + (list < LIST_COUNT ? list_size(list) : size));
    if (block == NULL)
        return refuse_json(size);
    block->list = list;
    return (char *)block + BLOCK_HEADER;
}

static void json_release(void *memory)
{
    if (current == NULL) {
        free(memory);
        return;
    }
    struct json_block *block = memory != NULL ? (void *)((char *)memory - BLOCK_HEADER) : NULL;
    if (block == NULL || block->list >= LIST_COUNT)
        return;
    if (current->free == NULL)
        current->free = arena_alloc(current, LIST_COUNT * sizeof *current->free);
    if (current->free == NULL)
        return;
    block->next = current->free[block->list];
    current->free[block->list] = block;
    POISON(memory, list_size(block->list));
}

void arena_attach_jansson(void)
{
    json_set_alloc_funcs(json_memory, json_release);
}
