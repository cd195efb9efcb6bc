/*
 * The prepared statements of one connection; see statement.h.
 */
#include "db/statement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MULTIPLIER UINT64_C(0x9e3779b97f4a7c15)

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * MULTIPLIER;
    return hash ^ (hash >> 29);
}

/* Eight bytes at a step: this runs for every statement of every operation. */
uint64_t statement_hash(const char *sql, const struct param *params, size_t count)
{
    size_t length = strlen(sql);
    uint64_t hash = mix(length, count), word = 0;
    for (; length >= sizeof word; sql += sizeof word, length -= sizeof word) {
        memcpy(&word, sql, sizeof word);
        hash = mix(hash, word);
    }
    word = 0;
    memcpy(&word, sql, length);
    hash = mix(hash, word);
    for (size_t i = 0; i < count; i++)
        hash = mix(hash, params[i].type);
    return hash;
}

void statement_cache_init(struct statement_cache *cache)
{
    memset(cache, 0, sizeof *cache);
    TAILQ_INIT(&cache->by_use);
}

void statement_cache_clear(struct statement_cache *cache)
{
    while (!TAILQ_EMPTY(&cache->by_use))
        statement_remove(cache, TAILQ_FIRST(&cache->by_use));
}

static struct statement **bucket(struct statement_cache *cache, uint64_t hash)
{
    return &cache->buckets[hash % STATEMENTS_MAX];
}

static bool same(const struct statement *statement, const struct bound_statement *bound, unsigned role)
{
    if (statement->hash != bound->hash || statement->role != role || statement->count != bound->count)
        return false;
    for (size_t i = 0; i < bound->count; i++)
        if (statement->types[i] != bound->params[i].type)
            return false;
    return strcmp(statement->sql, bound->sql) == 0;
}

struct statement *statement_find(
    struct statement_cache *cache, const struct bound_statement *bound, unsigned role)
{
    struct statement *statement = *bucket(cache, bound->hash);
    while (statement != NULL && !same(statement, bound, role))
        statement = statement->next;
    if (statement != NULL && statement != TAILQ_FIRST(&cache->by_use)) {
        TAILQ_REMOVE(&cache->by_use, statement, by_use);
        TAILQ_INSERT_HEAD(&cache->by_use, statement, by_use);
    }
    return statement;
}

struct statement *statement_add(
    struct statement_cache *cache, const struct bound_statement *bound, unsigned role)
{
    size_t text_size = (strlen(bound->sql) + sizeof(Oid)) & ~(sizeof(Oid) - 1);
    struct statement *statement = calloc(1, sizeof *statement + text_size + bound->count * sizeof(Oid));
    if (statement == NULL)
        return NULL;

    statement->hash = bound->hash;
    snprintf(statement->name, sizeof statement->name, "s%llu", (unsigned long long)++cache->last_number);
    statement->role = role;
    statement->count = bound->count;
    memcpy(statement->sql, bound->sql, strlen(bound->sql) + 1);
    statement->types = (Oid *)(void *)(statement->sql + text_size);
    for (size_t i = 0; i < bound->count; i++)
        statement->types[i] = bound->params[i].type;

    struct statement **head = bucket(cache, bound->hash);
    statement->next = *head;
    *head = statement;
    TAILQ_INSERT_HEAD(&cache->by_use, statement, by_use);
    cache->count++;
    return statement;
}

void statement_remove(struct statement_cache *cache, struct statement *statement)
{
    struct statement **link = bucket(cache, statement->hash);
    while (*link != statement)
        link = &(*link)->next;
    *link = statement->next;
    TAILQ_REMOVE(&cache->by_use, statement, by_use);
    cache->count--;
    free(statement);
}

struct statement *statement_surplus(struct statement_cache *cache)
{
    return cache->count > STATEMENTS_MAX ? TAILQ_LAST(&cache->by_use, statement_list) : NULL;
}
