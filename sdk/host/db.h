/*
 * The worker's Postgres pool from the host's side.
 */
#ifndef HOST_DB_H
#define HOST_DB_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

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

/*
 * Somebody who listens for NOTIFY on a channel; lies in the caller's memory from db_listen_add to
 * db_listen_remove. All who listen share one connection of the worker, beside the pool, which is made when the
 * first comes and made again when it is lost. The callbacks run on the loop's stack and may remove the
 * listener.
 */
struct db_listener {
    const char *channel; /* at most 63 bytes, taken literally; borrowed */
    /* What is sent from now on arrives. Called again after every loss: what was sent in between did not. */
    void (*attached)(struct db_listener *listener);
    void (*notified)(struct db_listener *listener, const char *payload); /* payload: borrowed, "" without one */
    void *arg;
    bool listening; /* attached was called on the connection of now */
    TAILQ_ENTRY(db_listener) link;
};

/*
 * 0, or a negative errno: -ENOENT without a database, -ENOTSUP behind PgBouncer (transactions are pooled there,
 * and so no session hears anything), -EINVAL for the channel's name, -ENOMEM.
 */
int db_listen_add(struct db_listener *listener);
void db_listen_remove(struct db_listener *listener);

#endif
