/*
 * One operation: the statements of one parked fiber that travel to the server in one pipeline.
 *
 * It lives on the stack of the fiber that waits for it, and so do the texts it binds. Whoever holds a pointer
 * to it (the pool's queue, a connection) lets go when it is done or the fiber is abandoned.
 */
#ifndef DB_OPERATION_H
#define DB_OPERATION_H

#include <context.h>

#include "db/bind.h"

#include <sys/queue.h>

struct db_connection;

/* Roles of sql/migrations; a prepared statement belongs to one of them. */
enum db_role {
    DB_ANON,
    DB_AUTHENTICATED,
    DB_ADMIN,
    DB_SERVICE
};

struct db_caller {
    enum db_role role;
    const char *claims; /* JSON, "" without any */
};

/* Role and claims that the invocation's statements carry. */
struct db_caller caller_of(edge_ctx *ctx, bool service);

struct db_failure {
    enum {
        DB_NO_FAILURE,
        DB_REFUSED,     /* the server answered with an error; sqlstate and message say which */
        DB_TIMED_OUT,   /* statement_timeout, which the operation set to what was left */
        DB_BUSY,        /* no connection came free in time */
        DB_UNAVAILABLE, /* no connection can be made, or it broke: what was sent may have happened or not */
        DB_TOO_LARGE,   /* the answer does not fit into the invocation's memory */
        DB_NOT_SET_UP,  /* no database is configured */
    } kind;
    char sqlstate[6];
    const char *message; /* in the arena, or constant; for the log */
    size_t statement;    /* which one of the operation, as far as one can be named */
};

enum operation_state {
    OPERATION_NEW,     /* known to nobody but its fiber */
    OPERATION_WAITING, /* on the pool's queue; the pool takes it off when a connection comes free */
    OPERATION_SENT,    /* a connection's operation; its last answer, or its loss, ends that */
    OPERATION_DONE,    /* known to nobody but its fiber, which has been woken */
};

struct operation {
    struct fiber_wait wait; /* first member: what abandon gets */
    enum operation_state state;
    edge_ctx *ctx;
    struct db_caller caller;

    const struct bound_statement *statements;
    size_t count;
    struct edge_rows **rows;     /* of each statement; NULL: nobody wants them */
    struct arena *arena;         /* where rows are made */
    struct db_failure *failures; /* of each statement when isolated, else one for all */
    bool isolated;               /* each statement is a transaction of its own */

    /* Of an explicit transaction; all unset otherwise. */
    struct db_connection **holder; /* where the transaction keeps its connection */
    const char *begin;             /* "BEGIN ..." to go first */
    bool commit;                   /* COMMIT goes last */

    bool resent;          /* once: its prepared statements were stale */
    int64_t submitted_us; /* monotonic */
    int64_t sent_us;
    int64_t timeout_ms;   /* the statement_timeout it was sent with, 0 none */
    size_t settled_count; /* statements whose transaction has ended */
    struct db_connection *connection;
    TAILQ_ENTRY(operation) link;
};

/* Runs the operation and parks until it is done; failures says how it went. Fiber only. */
void operation_run(struct operation *operation);

/* Its failure, or that of its i-th statement when isolated. */
static inline struct db_failure *operation_failure(struct operation *operation, size_t i)
{
    return &operation->failures[operation->isolated ? i : 0];
}

/* Marks what has not been settled as failed, unless it has failed already. */
void operation_fail(struct operation *operation, int kind, const char *message);

/* Records the server's error for a statement. */
void operation_refused(struct operation *operation, size_t statement, const PGresult *result);

/* Hands the operation back to its fiber. */
void operation_done(struct operation *operation);

/* True when nothing but stale prepared statements stood in its way: it was undone and can be sent again. */
bool operation_is_stale(const struct operation *operation);

/* How a failure is answered; and that, after logging it, for an invocation that ends with it. */
void failure_describe(const struct operation *operation, size_t statement, edge_error *error);
EDGE_NORETURN void failure_end(struct operation *operation, size_t statement);

/* True when a failure ends the invocation even of a call that tries. */
bool failure_ends(const struct db_failure *failure);

#endif
