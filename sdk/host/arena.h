/*
 * An invocation's memory: bump allocation in chunks, released in one step.
 *
 * A limit bounds the total. A reserve beyond it is opened once the limit was hit, so that the error answer
 * can still be built. jansson allocates from the arena that is current (arena_enter); outside of any, from
 * malloc. What jansson frees inside an arena is used again for its next values there, or given back when it is
 * large. On its invocation's fiber an arena that refuses jansson ends the invocation, as edge_alloc does:
 * functions need not look for NULL.
 */
#ifndef HOST_ARENA_H
#define HOST_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena_block;
struct arena_chunk;
struct json_block;

/* Tests only: an allocation that is refused although there is memory. All zero: none is. */
struct arena_fault {
    uint32_t left; /* the allocation that is refused, counted from the next; 0: none (any more) */
    bool lasting;  /* and every one after it */
    bool happened;
};

struct arena {
    struct arena_chunk *chunks;      /* newest first; the newest is the one allocated from */
    char *next, *end;                /* free part of the newest chunk */
    struct arena_chunk *json_chunks; /* the same for values of jansson that the first chunk had no room for */
    char *json_next, *json_end;
    struct arena_block *blocks; /* those that can be given back one by one */
    size_t used_bytes;          /* sum of all chunks' and blocks' sizes */
    size_t limit_bytes;
    size_t next_chunk_bytes;
    struct json_block **free; /* what jansson gave back, by size; NULL: nothing yet */
    bool wipe;                /* it has held secrets: overwritten before it is given back */
    struct arena_fault fault;
};

void arena_init(struct arena *arena, size_t limit_bytes);
void arena_free(struct arena *arena);

/* Zeroed memory aligned to 16 bytes, or NULL when the limit does not allow it. */
void *arena_alloc(struct arena *arena, size_t size);

/* The same as a block of its own, for what is large and not needed to the end: it can be given back before. */
void *arena_block(struct arena *arena, size_t size);
void arena_block_free(void *memory);

/* Gives back the chunks in which no value of jansson's is in use any more: for who is about to wait long. */
void arena_trim(struct arena *arena);

/* Counts an allocation, of this arena or for its invocation, against its fault: true when it is to fail. */
bool arena_refuses(struct arena_fault *fault);

/* Raises the limit by the reserve (32 KiB), so that a failure can be answered. */
void arena_open_reserve(struct arena *arena);

/* Makes arena (NULL: malloc) the one jansson uses; returns the one before. Free outside of it must not happen.
 */
struct arena *arena_enter(struct arena *arena);

/* Installs the allocator in jansson; call once before any JSON is made. */
void arena_attach_jansson(void);

#endif
