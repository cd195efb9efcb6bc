/*
 * The table; see table.h. Chained, with as many chains as there have been entries.
 */
#include "cache/table.h"

#include <edge/crypto.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

enum {
    FIRST_CHAINS = 64,
    MALLOC_OVERHEAD = 16
};

struct entry {
    struct entry *chained;
    TAILQ_ENTRY(entry) used; /* most recently used first */
    struct cache_value *value;
    int64_t expires_us;
    size_t bytes; /* all that it takes */
    uint64_t hash;
    bool local;
    char key[];
};

static struct {
    struct entry **chains;
    size_t chain_count, count, bytes, budget;
    uint64_t seed, evictions;
    TAILQ_HEAD(entry_list, entry) used;
} table;

int table_start(size_t budget_bytes)
{
    table.chains = calloc(FIRST_CHAINS, sizeof *table.chains);
    if (table.chains == NULL)
        return -ENOMEM;
    table.chain_count = FIRST_CHAINS;
    table.count = table.bytes = 0;
    table.budget = budget_bytes;
    table.evictions = 0;
    edge_random(&table.seed, sizeof table.seed);
    TAILQ_INIT(&table.used);
    return 0;
}

/* FNV-1a from a secret start: keys may come from users. */
static uint64_t hash_of(const char *key)
{
    uint64_t hash = table.seed;
    for (; *key != '\0'; key++)
        hash = (hash ^ (unsigned char)*key) * UINT64_C(0x100000001b3);
    return hash ^ (hash >> 32);
}

static struct entry **find(const char *key, uint64_t hash)
{
    struct entry **at = &table.chains[hash & (table.chain_count - 1)];
    while (*at != NULL && ((*at)->hash != hash || strcmp((*at)->key, key) != 0))
        at = &(*at)->chained;
    return at;
}

static void unlink_entry(struct entry **at)
{
    struct entry *entry = *at;
    *at = entry->chained;
    TAILQ_REMOVE(&table.used, entry, used);
    table.bytes -= entry->bytes;
    table.count--;
    value_release(entry->value);
    free(entry);
}

static void drop(const struct entry *entry)
{
    struct entry **at = &table.chains[entry->hash & (table.chain_count - 1)];
    while (*at != entry)
        at = &(*at)->chained;
    unlink_entry(at);
}

void table_stop(void)
{
    if (table.chains == NULL)
        return;
    while (!TAILQ_EMPTY(&table.used))
        drop(TAILQ_FIRST(&table.used));
    free(table.chains);
    table.chains = NULL;
}

struct cache_value *table_get(const char *key, int64_t now_us)
{
    struct entry **at = find(key, hash_of(key)), *entry = *at;
    if (entry == NULL)
        return NULL;
    if (entry->expires_us <= now_us) {
        unlink_entry(at);
        return NULL;
    }
    TAILQ_REMOVE(&table.used, entry, used);
    TAILQ_INSERT_HEAD(&table.used, entry, used);
    return entry->value;
}

/* Without memory for it the chains get longer, and that is all. */
static void grow(void)
{
    size_t count = table.chain_count * 2;
    struct entry **chains = calloc(count, sizeof *chains), *entry = NULL;
    if (chains == NULL)
        return;
    TAILQ_FOREACH(entry, &table.used, used)
    {
        entry->chained = chains[entry->hash & (count - 1)];
        chains[entry->hash & (count - 1)] = entry;
    }
    free(table.chains);
    table.chains = chains;
    table.chain_count = count;
}

static void make_room(size_t bytes)
{
    while (table.bytes + bytes > table.budget && !TAILQ_EMPTY(&table.used)) {
        drop(TAILQ_LAST(&table.used, entry_list));
        table.evictions++;
    }
}

void table_put(const char *key, struct cache_value *value, int64_t expires_us, bool local)
{
    uint64_t hash = hash_of(key);
    struct entry **before = find(key, hash);
    if (*before != NULL)
        unlink_entry(before);

    size_t key_size = strlen(key) + 1;
    size_t bytes =
        sizeof(struct entry) + key_size + sizeof *value + value->stored + (size_t)2 * MALLOC_OVERHEAD;
    if (bytes > table.budget / 4)
        return;
    struct entry *entry = malloc(sizeof *entry + key_size);
    if (entry == NULL)
        return;
    make_room(bytes);
    if (table.count >= table.chain_count)
        grow();
    memcpy(entry->key, key, key_size);
    entry->value = value_hold(value);
    entry->expires_us = expires_us;
    entry->bytes = bytes;
    entry->hash = hash;
    entry->local = local;
    entry->chained = table.chains[hash & (table.chain_count - 1)];
    table.chains[hash & (table.chain_count - 1)] = entry;
    TAILQ_INSERT_HEAD(&table.used, entry, used);
    table.bytes += bytes;
    table.count++;
}

void table_remove(const char *key)
{
    struct entry **at = find(key, hash_of(key));
    if (*at != NULL)
        unlink_entry(at);
}

void table_remove_prefix(const char *prefix, size_t length)
{
    for (struct entry *entry = TAILQ_FIRST(&table.used), *next = NULL; entry != NULL; entry = next) {
        next = TAILQ_NEXT(entry, used);
        if (strncmp(entry->key, prefix, length) == 0)
            drop(entry);
    }
}

void table_remove_shared(void)
{
    for (struct entry *entry = TAILQ_FIRST(&table.used), *next = NULL; entry != NULL; entry = next) {
        next = TAILQ_NEXT(entry, used);
        if (!entry->local)
            drop(entry);
    }
}

size_t table_count(void)
{
    return table.count;
}

size_t table_bytes(void)
{
    return table.bytes;
}

size_t table_budget(void)
{
    return table.budget;
}

uint64_t table_evictions(void)
{
    return table.evictions;
}
