/*
 * The worker's connections and the fibers that wait for one.
 */
#ifndef DB_POOL_H
#define DB_POOL_H

#include "db/operation.h"

#include <db.h>

struct db_connection;

/* Sends the operation on its transaction's connection, on an idle one, or queues it. Loop's stack. */
void pool_submit(struct operation *operation);

/* Takes a queued operation off; its fiber is gone. */
void pool_forget(struct operation *operation);

/* Counts an operation that is done. */
void pool_count(const struct operation *operation);

/* A connection is clean: it serves the head of the queue or becomes idle. */
void pool_give(struct db_connection *connection);

/* A connection was made; pool_give follows. */
void pool_connected(void);

/* A connection is gone and its slot closed. was_up: it had been made before. message is for the log. */
void pool_connection_lost(bool was_up, const char *message);

/* An idle connection leaves the list. */
void pool_remove_idle(struct db_connection *connection);

const struct db_settings *pool_settings(void);
struct ev_loop *pool_loop(void);

/* 50 to 90 per cent of a delay, so that hosts and fibers do not come back all at once. */
double pool_jitter(double seconds);

#endif
