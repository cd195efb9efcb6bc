/*
 * Lists of mail addresses as people and models write them (spec workspace.md 0.7): a text with commas, or an
 * array.
 */
#ifndef LIB_ADDRESS_H
#define LIB_ADDRESS_H

#include <edge/edge.h>

struct address {
    const char *address; /* local@domain, ASCII */
    const char *name;    /* display name, NULL without one */
};

struct addresses {
    struct address *items;
    size_t count;
};

/*
 * Reads a list; an address that comes again, whatever its case, counts once. value NULL: none. What is no
 * address, or has a control character: 400 naming the field.
 */
struct addresses addresses_read(edge_ctx *ctx, const char *field, const json_t *value);

/* The bare addresses, an array of strings. */
json_t *addresses_json(const struct addresses *list);

#endif
