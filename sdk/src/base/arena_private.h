/*
 * What an arena's two files share: chunks, which are one of the arena's lists each.
 */
#ifndef BASE_ARENA_PRIVATE_H
#define BASE_ARENA_PRIVATE_H

#include <arena.h>

#include "base/asan.h"

enum {
    GAP = WITH_ASAN ? 16 : 0, /* behind each allocation, poisoned */
};

struct arena_chunk {
    struct arena_chunk *older;
    size_t size;        /* header included */
    size_t value_count; /* of a chunk of jansson's: those in use */
} __attribute__((aligned(16)));

/* A chunk to go on in, with room for needed bytes at least. NULL: the limit or the system does not allow it. */
struct arena_chunk *chunk_next(struct arena *arena, size_t needed);
void chunk_give(struct arena_chunk *chunk);

/* Overwrites what is given back, when the arena has held secrets. */
void arena_wipe(const struct arena *arena, void *memory, size_t size);

#endif
