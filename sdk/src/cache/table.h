/*
 * The cache's values by key, bounded in bytes; the least recently used leave first.
 *
 * A value is immutable and counted by its references: the table's, and those who are about to read it.
 */
#ifndef CACHE_TABLE_H
#define CACHE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cache_value {
    unsigned references;
    bool is_json, compressed;
    size_t length; /* of the value; stored: of data */
    size_t stored;
    char data[];
};

/* A copy, compressed where that saves something. NULL when memory is short. */
struct cache_value *value_make(const void *data, size_t length, bool is_json);
struct cache_value *value_hold(struct cache_value *value);
void value_release(struct cache_value *value);

/* Writes length bytes and a NUL. False when they are not what was stored. */
bool value_copy(const struct cache_value *value, char *out);

int table_start(size_t budget_bytes);
void table_stop(void);

/* NULL when there is none, or its time is over. now_us is on the monotonic clock. */
struct cache_value *table_get(const char *key, int64_t now_us);

/* Keeps value (a reference of its own) until expires_us; INT64_MAX: no end. */
void table_put(const char *key, struct cache_value *value, int64_t expires_us, bool local);

/* Drops a key; all that begin with a prefix; all that are not local. */
void table_remove(const char *key);
void table_remove_prefix(const char *prefix, size_t length);
void table_remove_shared(void);

size_t table_count(void);
size_t table_bytes(void);
size_t table_budget(void);
uint64_t table_evictions(void);

#endif
