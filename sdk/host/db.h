/*
 * The worker's Postgres pool from the host's side.
 */
#ifndef HOST_DB_H
#define HOST_DB_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db_settings {
    const char *url; /* libpq URI or keyword string; several hosts: libpq fails over */
    int pool_max;
    int64_t acquire_timeout_ms, statement_timeout_ms;
    bool pgbouncer; /* transaction pooling: no named prepared statements, no session state */
};

struct db_stats {
    int open, busy, waiting; /* connections, connections in use, fibers queued */
    uint64_t queries, errors, reconnects;
    bool reachable; /* at least one connection is up, or the last attempt succeeded */
};

/*
 * Starts the pool: one connection at once, so that stats.reachable means something, the others on demand.
 * settings is copied; without a url every query fails with 503 "not_configured". Returns 0 or a negative errno.
 */
int db_start(struct ev_loop *loop, const struct db_settings *settings);

/* Closes everything. Waiting fibers must be gone. */
void db_stop(void);

void db_get_stats(struct db_stats *stats);

#endif
