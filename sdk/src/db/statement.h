/*
 * The prepared statements of one connection.
 *
 * Keyed by what the server plans by: the text, the parameters' types and the role (a plan that row security
 * shaped is thrown away when the role changes, so two roles sharing one statement would plan it again and
 * again). The text is compared, not its address: after a reload another statement may lie there.
 */
#ifndef DB_STATEMENT_H
#define DB_STATEMENT_H

#include "db/bind.h"

#include <sys/queue.h>

/* Statements kept a connection; what was used longest ago goes first. */
#define STATEMENTS_MAX 256
#define STATEMENT_NAME_SIZE 24

struct statement {
    TAILQ_ENTRY(statement) by_use; /* most recently used first */
    struct statement *next;        /* in its bucket */
    uint64_t hash;
    char name[STATEMENT_NAME_SIZE]; /* on the server */
    unsigned role;
    uint64_t segment; /* of the connection's pipeline in which it was sent to be prepared */
    bool ready;       /* the server has said that it is prepared */
    size_t count;
    Oid *types; /* count of them, behind the text */
    char sql[];
};

struct statement_cache {
    struct statement *buckets[STATEMENTS_MAX];
    TAILQ_HEAD(statement_list, statement) by_use;
    size_t count;
    uint64_t last_number;
};

uint64_t statement_hash(const char *sql, const struct param *params, size_t count);

void statement_cache_init(struct statement_cache *cache);

/* Forgets all of them; the server's are gone with the session or by DEALLOCATE ALL. */
void statement_cache_clear(struct statement_cache *cache);

/* The statement, moved to the front, or NULL. */
struct statement *statement_find(
    struct statement_cache *cache, const struct bound_statement *bound, unsigned role);

/* Adds one that is about to be prepared; NULL when memory is short. */
struct statement *statement_add(
    struct statement_cache *cache, const struct bound_statement *bound, unsigned role);

void statement_remove(struct statement_cache *cache, struct statement *statement);

/* One above the limit, to be closed on the server and removed; NULL when there is none. */
struct statement *statement_surplus(struct statement_cache *cache);

#endif
