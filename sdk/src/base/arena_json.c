/*
 * An invocation's JSON; see host/arena.h.
 *
 * jansson's values carry their list before them, and what it gives back is used again by the same invocation: a
 * stream that builds and drops an event a token stays as small as one event. Sizes are rounded up so that they
 * meet again, in steps of 16 bytes. Large ones are blocks of their own, which leave the invocation when they
 * are dropped. A value needs 8 bytes' alignment.
 *
 * What the first chunk has no room for lies in chunks of its own, which count their values: one without any can
 * be given back while the invocation goes on.
 */
#include "base/arena_private.h"

#include <context.h>

#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>

static struct arena *current;

struct arena *arena_enter(struct arena *arena)
{
    struct arena *before = current;
    current = arena;
    return before;
}

struct json_block {
    uint32_t list;
    uint32_t distance;       /* from its chunk of jansson's own; 0: in the invocation's first, which stays */
    struct json_block *next; /* in its list, once given back: lies in the value's place */
};

enum {
    BLOCK_HEADER = 8,
    LIST_COUNT = 32, /* values of 24, 40, … 520 bytes */
};

static size_t list_size(size_t list)
{
    return 24 + list * 16;
}

/* The list of the smallest values that hold size; LIST_COUNT and more: a block of its own. */
static size_t list_of(size_t size)
{
    return size <= 24 ? 0 : (size - 24 + 15) / 16;
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

static struct arena_chunk *chunk_of(struct json_block *block)
{
    return block->distance > 0 ? (struct arena_chunk *)((char *)block - block->distance) : NULL;
}

/* In the first chunk while there is room in it, then in chunks that hold nothing else. */
static struct json_block *json_block(struct arena *arena, size_t list)
{
    size_t size = BLOCK_HEADER + list_size(list), needed = size + GAP;
    if (arena->json_chunks == NULL && (arena->chunks == NULL || needed <= (size_t)(arena->end - arena->next)))
        return arena_alloc(arena, size);
    if (arena_refuses(&arena->fault))
        return NULL;
    if (needed > (size_t)(arena->json_end - arena->json_next)) {
        struct arena_chunk *chunk = chunk_next(arena, needed);
        if (chunk == NULL)
            return NULL;
        chunk->older = arena->json_chunks;
        arena->json_chunks = chunk;
        arena->json_next = (char *)(chunk + 1);
        arena->json_end = (char *)chunk + chunk->size;
    }
    struct json_block *block = (struct json_block *)arena->json_next;
    arena->json_next += needed;
    UNPOISON(block, size);
    block->distance = (uint32_t)((char *)block - (char *)arena->json_chunks);
    return block;
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
    } else if (list < LIST_COUNT) {
        block = json_block(current, list);
    } else if (size <= SIZE_MAX / 4) {
        block = arena_block(current, BLOCK_HEADER + size);
    }
    if (block == NULL)
        return refuse_json(size);
    block->list = (uint32_t)(list < LIST_COUNT ? list : LIST_COUNT);
    struct arena_chunk *chunk = chunk_of(block);
    if (chunk != NULL)
        chunk->value_count++;
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
    if (block->list >= LIST_COUNT) {
        arena_block_free(block);
        return;
    }
    if (current->free == NULL)
        current->free = arena_alloc(current, LIST_COUNT * sizeof *current->free);
    if (current->free == NULL)
        return;
    struct arena_chunk *chunk = chunk_of(block);
    if (chunk != NULL)
        chunk->value_count--;
    block->next = current->free[block->list];
    current->free[block->list] = block;
    POISON(memory, list_size(block->list));
}

/* --- giving back what jansson does not use --- */

/* What of a list lies in chunks that stay. */
static struct json_block *staying(struct json_block *block)
{
    struct json_block *kept = NULL;
    while (block != NULL) {
        size_t size = list_size(block->list);
        UNPOISON((char *)block + BLOCK_HEADER, size);
        struct json_block *next = block->next;
        struct arena_chunk *chunk = chunk_of(block);
        if (chunk == NULL || chunk->value_count > 0) {
            block->next = kept;
            kept = block;
            POISON((char *)block + BLOCK_HEADER, size);
        }
        block = next;
    }
    return kept;
}

void arena_trim(struct arena *arena)
{
    bool any = false;
    for (struct arena_chunk *chunk = arena->json_chunks; chunk != NULL && !any; chunk = chunk->older)
        any = chunk->value_count == 0;
    if (!any)
        return;
    for (size_t list = 0; arena->free != NULL && list < LIST_COUNT; list++)
        arena->free[list] = staying(arena->free[list]);
    for (struct arena_chunk **at = &arena->json_chunks; *at != NULL;) {
        struct arena_chunk *chunk = *at;
        if (chunk->value_count > 0) {
            at = &chunk->older;
            continue;
        }
        if (chunk == arena->json_chunks)
            arena->json_next = arena->json_end = NULL;
        *at = chunk->older;
        arena->used_bytes -= chunk->size;
        arena_wipe(arena, chunk + 1, chunk->size - sizeof *chunk);
        chunk_give(chunk);
    }
}

void arena_attach_jansson(void)
{
    json_set_alloc_funcs(json_memory, json_release);
}
