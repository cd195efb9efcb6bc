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
        if (arena->next_chunk_bytes < LARGEST_CHUNK)
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

static void *json_memory(size_t size)
{
    return current != NULL ? arena_alloc(current, size) : malloc(size);
}

/* Inside an invocation nothing is given back by the piece: its values die with it. */
static void json_release(void *memory)
{
    if (current == NULL)
        free(memory);
}

void arena_attach_jansson(void)
{
    json_set_alloc_funcs(json_memory, json_release);
}
