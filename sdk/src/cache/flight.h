/*
 * Single flight: who makes the value of a key, and who waits for it.
 */
#ifndef CACHE_FLIGHT_H
#define CACHE_FLIGHT_H

#include "cache/table.h"

#include <edge/base.h>

/*
 * Parks behind whoever makes the key's value. The value with a reference that lasts as long as the invocation,
 * or NULL: the calling fiber is to make it.
 */
struct cache_value *flight_claim(edge_ctx *ctx, const char *key);

/* The invocation's claim has its value (NULL: is given up). Returns whether the value may be kept. */
bool flight_land(edge_ctx *ctx, const char *key, struct cache_value *value);

/* The values being made are old already: of a key, of all that begin with a prefix. */
void flight_outdate(const char *key);
void flight_outdate_prefix(const char *prefix, size_t length);

#endif
