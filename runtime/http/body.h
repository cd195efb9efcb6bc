/*
 * A request's body while it comes in.
 */
#ifndef HTTP_BODY_H
#define HTTP_BODY_H

#include <stdbool.h>
#include <stddef.h>

struct body {
    char *memory; /* NUL-terminated; or the mapping of the spooled file */
    size_t length, capacity, limit;
    int file; /* spooled: descriptor of an unlinked file, else -1 */
    bool mapped;
};

void body_init(struct body *body, size_t limit);

/* A length has been announced: takes just the memory for it, when it is to be kept in memory at all. */
void body_expect(struct body *body, size_t length, size_t memory_max);

/*
 * Adds bytes; beyond memory_max they go to an unlinked file in directory. -EFBIG beyond the limit, -ENOSPC
 * when the disk is full, another negative errno.
 */
int body_add(struct body *body, const char *data, size_t length, size_t memory_max, const char *directory);

/* Makes all of it readable at memory. 0 or a negative errno. */
int body_finish(struct body *body);
void body_free(struct body *body);

#endif
