/*
 * Verified tokens of a worker, by the SHA-256 of their text, until they expire. Bounded: the one that was not
 * used for longest makes room.
 */
#ifndef HTTP_TOKEN_CACHE_H
#define HTTP_TOKEN_CACHE_H

#include "token.h"

struct token_cache;

/* NULL when memory is short. capacity is fixed. */
struct token_cache *token_cache_create(uint32_t capacity);
void token_cache_free(struct token_cache *cache);

/* The claims of a token that is still valid, NULL when it is not known. Borrowed until the next call here. */
const struct token_claims *token_cache_find(
    struct token_cache *cache, const uint8_t digest[32], int64_t now_ms);

/* Takes the claims over. The token must not be in the cache. */
void token_cache_add(struct token_cache *cache, const uint8_t digest[32], struct token_claims *claims);

/* Forgets all: the keys or the rules have changed. */
void token_cache_clear(struct token_cache *cache);

uint32_t token_cache_count(const struct token_cache *cache);

#endif
