/*
 * The cache of verified tokens: entries in one array, chained by bucket and by use. Index 0 is no entry.
 */
#include "token_cache.h"

#include <stdlib.h>
#include <string.h>

struct entry {
    uint8_t digest[32];
    struct token_claims *claims; /* NULL: free, and linked by next_in_bucket */
    uint32_t next_in_bucket;
    uint32_t newer, older;
};

struct token_cache {
    struct entry
        *entries; /* capacity + 1; entries[0] is the list's head: newer is the oldest, older the newest */
    uint32_t *buckets;
    uint32_t bucket_mask, capacity, count, free;
};

/* A digest's bits are as good as any hash's. */
static uint32_t *bucket_of(const struct token_cache *cache, const uint8_t digest[32])
{
    uint32_t bits = 0;
    memcpy(&bits, digest, sizeof bits);
    return &cache->buckets[bits & cache->bucket_mask];
}

static void unlink_use(struct token_cache *cache, uint32_t i)
{
    struct entry *entry = &cache->entries[i];
    cache->entries[entry->newer].older = entry->older;
    cache->entries[entry->older].newer = entry->newer;
}

static void link_newest(struct token_cache *cache, uint32_t i)
{
    struct entry *entry = &cache->entries[i], *head = &cache->entries[0];
    entry->newer = 0;
    entry->older = head->older;
    cache->entries[head->older].newer = i;
    head->older = i;
}

static void drop(struct token_cache *cache, uint32_t i)
{
    struct entry *entry = &cache->entries[i];
    uint32_t *link = bucket_of(cache, entry->digest);
    while (*link != i)
        link = &cache->entries[*link].next_in_bucket;
    *link = entry->next_in_bucket;
    unlink_use(cache, i);

    free(entry->claims);
    entry->claims = NULL;
    entry->next_in_bucket = cache->free;
    cache->free = i;
    cache->count--;
}

struct token_cache *token_cache_create(uint32_t capacity)
{
    struct token_cache *cache = calloc(1, sizeof *cache);
    if (cache == NULL)
        return NULL;

    uint32_t buckets = 16;
    while (buckets < capacity * 2)
        buckets *= 2;
    cache->capacity = capacity;
    cache->bucket_mask = buckets - 1;
    cache->entries = calloc(capacity + 1, sizeof *cache->entries);
    cache->buckets = calloc(buckets, sizeof *cache->buckets);
    if (cache->entries == NULL || cache->buckets == NULL) {
        free(cache->entries);
        free(cache->buckets);
        free(cache);
        return NULL;
    }
    for (uint32_t i = 1; i < capacity; i++)
        cache->entries[i].next_in_bucket = i + 1;
    cache->free = 1;
    return cache;
}

void token_cache_free(struct token_cache *cache)
{
    if (cache == NULL)
        return;
    token_cache_clear(cache);
    free(cache->entries);
    free(cache->buckets);
    free(cache);
}

const struct token_claims *token_cache_find(struct token_cache *cache, const uint8_t digest[32], int64_t now_ms)
{
    uint32_t i = *bucket_of(cache, digest);
    while (i != 0 && memcmp(cache->entries[i].digest, digest, 32) != 0)
        i = cache->entries[i].next_in_bucket;
    if (i == 0)
        return NULL;
    if (cache->entries[i].claims->valid_until_ms <= now_ms) {
        drop(cache, i);
        return NULL;
    }
    if (cache->entries[0].older != i) {
        unlink_use(cache, i);
        link_newest(cache, i);
    }
    return cache->entries[i].claims;
}

void token_cache_add(struct token_cache *cache, const uint8_t digest[32], struct token_claims *claims)
{
    if (cache->count == cache->capacity)
        drop(cache, cache->entries[0].newer);

    uint32_t i = cache->free;
    struct entry *entry = &cache->entries[i];
    cache->free = entry->next_in_bucket;
    cache->count++;

    uint32_t *bucket = bucket_of(cache, digest);
    memcpy(entry->digest, digest, 32);
    entry->claims = claims;
    entry->next_in_bucket = *bucket;
    *bucket = i;
    link_newest(cache, i);
}

void token_cache_clear(struct token_cache *cache)
{
    while (cache->count > 0)
        drop(cache, cache->entries[0].newer);
}

uint32_t token_cache_count(const struct token_cache *cache)
{
    return cache->count;
}
