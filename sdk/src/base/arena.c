/*
 * An invocation's memory; see host/arena.h for the model.
 *
 * Chunks of the first size are kept for the next invocation, so that a small one costs no malloc. Under
 * AddressSanitizer every allocation is followed by a poisoned gap, which malloc's would otherwise be.
 */
#include <arena.h>

#include "base/arena_private.h"
#include "base/asan.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_CHUNK = 4096,
    SMALL_CHUNK = 512,
    SMALL_ARENA = 24 * 1024,
    LARGEST_CHUNK = 64 * 1024,
    RESERVE = 32 * 1024,
    POOL_MAX = 2048,
};

/* Its arena is known to the block: who gives it back need not know. */
struct arena_block {
    struct arena_block *previous, *next;
    struct arena *arena;
    size_t size; /* header included */
};

static struct arena_chunk *pool;
static size_t pool_count;

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

void chunk_give(struct arena_chunk *chunk)
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

void arena_wipe(const struct arena *arena, void *memory, size_t size)
{
    if (!arena->wipe)
        return;
    UNPOISON(memory, size);
    explicit_bzero(memory, size);
}

void arena_block_free(void *memory)
{
    struct arena_block *block = (struct arena_block *)memory - 1;
    struct arena *arena = block->arena;
    if (block->previous != NULL)
        block->previous->next = block->next;
    else
        arena->blocks = block->next;
    if (block->next != NULL)
        block->next->previous = block->previous;
    arena->used_bytes -= block->size;
    arena_wipe(arena, memory, block->size - sizeof *block);
    free(block);
}

static void give_all(const struct arena *arena, struct arena_chunk *chunk)
{
    while (chunk != NULL) {
        struct arena_chunk *older = chunk->older;
        arena_wipe(arena, chunk + 1, chunk->size - sizeof *chunk);
        chunk_give(chunk);
        chunk = older;
    }
}

void arena_free(struct arena *arena)
{
    while (arena->blocks != NULL) {
        arena->blocks->previous = NULL; /* a fiber that was torn from its code may have left it half done */
        arena_block_free(arena->blocks + 1);
    }
    give_all(arena, arena->chunks);
    give_all(arena, arena->json_chunks);
    arena->chunks = arena->json_chunks = NULL;
    arena->next = arena->end = arena->json_next = arena->json_end = NULL;
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

static bool within_limit(const struct arena *arena, size_t more)
{
    return more <= arena->limit_bytes && arena->used_bytes <= arena->limit_bytes - more;
}

void *arena_block(struct arena *arena, size_t size)
{
    struct arena_block *block;
    if (size > SIZE_MAX / 2 || arena_refuses(&arena->fault) || !within_limit(arena, sizeof *block + size))
        return NULL;
    block = calloc(1, sizeof *block + size);
    if (block == NULL)
        return NULL;
    *block = (struct arena_block){ .next = arena->blocks, .arena = arena, .size = sizeof *block + size };
    if (block->next != NULL)
        block->next->previous = block;
    arena->blocks = block;
    arena->used_bytes += block->size;
    return block + 1;
}

/* Counts a new chunk against the limit; NULL when that or the system's memory is used up. */
static struct arena_chunk *chunk_add(struct arena *arena, size_t size)
{
    if (!within_limit(arena, size))
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

struct arena_chunk *chunk_next(struct arena *arena, size_t needed)
{
    /* Near the limit a smaller chunk still serves; what is left then is less than was asked for. */
    size_t left = arena->limit_bytes - arena->used_bytes, wanted = arena->next_chunk_bytes;
    if (wanted < needed + sizeof(struct arena_chunk))
        wanted = needed + sizeof(struct arena_chunk);
    struct arena_chunk *chunk =
        chunk_add(arena, wanted <= left || left < needed + sizeof *chunk ? wanted : left);
    if (chunk == NULL)
        return NULL;
    chunk->value_count = 0;
    /* Small steps while it is small: thousands of waiting invocations hold what they do not use. */
    if (arena->used_bytes < SMALL_ARENA)
        arena->next_chunk_bytes = SMALL_CHUNK;
    else if (arena->next_chunk_bytes < LARGEST_CHUNK)
        arena->next_chunk_bytes *= 2;
    return chunk;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    if (size > SIZE_MAX / 2 || arena_refuses(&arena->fault))
        return NULL;
    size_t needed = ((size == 0 ? 1 : size) + GAP + 15) & ~(size_t)15;

    if (needed > (size_t)(arena->end - arena->next)) {
        if (needed > arena->next_chunk_bytes / 2)
            return alloc_large(arena, needed);
        struct arena_chunk *chunk = chunk_next(arena, needed);
        if (chunk == NULL)
            return NULL;
        chunk->older = arena->chunks;
        arena->chunks = chunk;
        arena->next = (char *)(chunk + 1);
        arena->end = (char *)chunk + chunk->size;
    }

    void *memory = arena->next;
    arena->next += needed;
    UNPOISON(memory, size);
    return memset(memory, 0, size);
}
