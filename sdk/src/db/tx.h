/*
 * An open transaction as cursors and COPY see it, which are parts of one.
 */
#ifndef DB_TX_H
#define DB_TX_H

#include <edge/db.h>

#include "db/operation.h"

enum tx_state {
    TX_READY,    /* the block is about to be entered, for the first time or again; holds nothing */
    TX_OPEN,     /* inside the block; holds a connection once a statement was sent */
    TX_FINISHED, /* committed or rolled back; holds nothing */
};

struct edge_tx {
    edge_ctx *ctx;
    struct fiber *fiber;
    edge_tx_options options;
    enum tx_state state;
    struct db_caller caller;          /* from the first operation on */
    struct db_connection *connection; /* the connection clears it when it is lost */
    bool begun;                       /* BEGIN has been sent */
    int attempts;
    unsigned cursor_count; /* opened so far: their names */
    struct bound_statement *queued;
    size_t queued_count, queued_size;
    jmp_buf retry_point;
};

/* Fails unless the current fiber opened the transaction and it is open. */
void tx_check(const struct edge_tx *tx);

/* Adds a statement to what goes out next. */
void tx_queue(struct edge_tx *tx, const struct bound_statement *statement);

/* As bind_statement, for one that waits in the queue: what it borrows is copied. */
struct bound_statement tx_bind(struct edge_tx *tx, const char *sql, const edge_arg *args, size_t count);

/* Sends what is queued and waits. rows: of each statement, made in arena, or NULL. Does not return on failure.
 */
void tx_run(struct edge_tx *tx, struct edge_rows **rows, struct arena *arena, bool commit);

/* An operation of the transaction has failed: runs the block again, or ends the invocation. */
EDGE_NORETURN void tx_failed(struct edge_tx *tx, struct operation *operation);

#endif
