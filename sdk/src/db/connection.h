/*
 * One connection to the server: a slot of the pool with a state machine around a PGconn in pipeline mode.
 *
 * db_connection_set_state is the only place where the state changes. One operation is on the wire at a time;
 * what the server owes for it is the list of expected answers, so a connection whose fiber is gone still knows
 * when it is clean again.
 */
#ifndef DB_CONNECTION_H
#define DB_CONNECTION_H

#include "db/operation.h"
#include "db/statement.h"

#include <ev.h>
#include <libpq-fe.h>
#include <sys/queue.h>

enum connection_state {
    CONNECTION_CLOSED,       /* a free slot, on no list; the pool opens it */
    CONNECTION_RESOLVING,    /* on no list; the look-up of its host's name moves it on */
    CONNECTION_CONNECTING,   /* on no list; its socket's readiness moves PQconnectPoll on */
    CONNECTION_SETTING_UP,   /* on no list; the session settings' answer moves it on */
    CONNECTION_IDLE,         /* on the pool's idle list; the pool takes it for an operation */
    CONNECTION_BUSY,         /* on no list; the last answer to its operation moves it on */
    CONNECTION_PINNED,       /* on no list; the transaction that holds it sends or releases */
    CONNECTION_COPYING,      /* on no list, out of pipeline mode; COPY's last answer makes it PINNED again */
    CONNECTION_DRAINING,     /* on no list; its operation was abandoned and the answers are thrown away */
    CONNECTION_ROLLING_BACK, /* on no list; ROLLBACK's answer moves it on, nobody waits for it */
};

/* What the server owes. */
struct expected {
    enum {
        EXPECT_IGNORED, /* settings, BEGIN, DEALLOCATE, ROLLBACK: only failing matters */
        EXPECT_PREPARED,
        EXPECT_ROWS,
        EXPECT_COMMIT,
        EXPECT_SYNC, /* the end of an implicit transaction */
    } kind;
    size_t statement; /* of the operation; of SYNC the last one that it settles */
    struct statement *prepared;
};

struct cancel;
struct edge_copier;
struct resolve;
struct resolved;

struct db_connection {
    enum connection_state state;
    PGconn *pg;
    int fd;
    ev_io io;
    ev_timer timer; /* the time limit of connecting, setting up, draining and rolling back */

    struct operation *operation;   /* NULL when nobody waits for the answers */
    struct db_connection **holder; /* where an explicit transaction keeps this connection; NULL: none does */
    struct edge_copier *copy;      /* while COPYING */
    struct resolve *resolve;       /* a look-up under way */
    struct cancel *cancel;         /* a cancel request is on its way: no new statement until it has arrived */

    struct expected *expected;
    size_t expected_count, expected_next, expected_size;
    uint64_t segment; /* counts Syncs: which statements shared a fate */
    struct statement_cache statements;

    size_t received_bytes; /* of an answer that comes in many pieces */
    unsigned reads;
    bool oversized; /* libpq's buffers have grown and never shrink: replace when idle */
    bool setup_failed;
    bool closing;          /* the server has said good-bye */
    bool statements_stale; /* the server says that its prepared statements are not what we think */
    bool cancel_requested; /* of the operation that is being drained */
    bool breaks;           /* with the next answer: a fault on purpose */
    int64_t idle_since_us;
    TAILQ_ENTRY(db_connection) link;
};

/* An answer or a parameter beyond this leaves libpq with buffers that are not worth keeping. */
#define CONNECTION_OVERSIZED_BYTES (4 * 1024 * 1024)

/* Starts connecting a closed slot; a failure comes through pool_connection_lost. */
void db_connection_open(struct db_connection *connection);

/* connect.c: PQconnectStart for the pool's URL, with our defaults; and how long it may take. */
PGconn *connect_start(const char *url, const struct resolved *resolved);
double connect_limit_s(const char *url);

/* Closes it, whatever its state. Nobody is told but a COPY, which outlives it. */
void db_connection_close(struct db_connection *connection);

/* It broke, was refused, or cannot be trusted any more: its operation fails. message NULL: libpq's. */
void db_connection_lose(struct db_connection *connection, const char *message);

/* The socket's and the timer's turn once libpq has connected; connect.c hands them over. */
void db_connection_ready(struct db_connection *connection, int events);
void db_connection_time_is_up(struct db_connection *connection);

/* Waits for the socket: EV_READ, EV_WRITE, both, or 0 for neither. */
void db_connection_watch(struct db_connection *connection, int events);

/* Writes what libpq holds, the rest when the socket takes more. False when the connection is lost. */
bool db_connection_flush(struct db_connection *connection);

void db_connection_set_state(struct db_connection *connection, enum connection_state state);

/* Sends an operation on an idle or, by its holder, pinned connection. */
void db_connection_send(struct db_connection *connection, struct operation *operation);

/* False when the server has closed an idle connection: nothing has been sent, so another one can be used. */
bool db_connection_is_alive(struct db_connection *connection);

/* The operation's fiber is gone: cancel it, throw its answers away, roll back, and back to the pool. */
void db_connection_detach(struct db_connection *connection);

/* The transaction that holds it is over: rolls back what is open, then back to the pool. */
void db_connection_release(struct db_connection *connection);

/* A cancel request has reached the server, or failed to. */
void db_connection_cancel_arrived(struct db_connection *connection);

static inline bool db_connection_is_up(const struct db_connection *connection)
{
    return connection->state > CONNECTION_SETTING_UP;
}

/* True for the errors that a prepared statement of old gives after the schema, or the session, has changed. */
bool sqlstate_is_stale(const char *sqlstate);

/* pipeline.c: writes something into libpq's buffer, to be flushed. False when the connection is lost. */
bool pipeline_send_operation(struct db_connection *connection, struct operation *operation);
bool pipeline_send_settings(struct db_connection *connection);
bool pipeline_send_rollback(struct db_connection *connection);

/* copy_wire.c: the socket's turn while COPYING, and the connection's loss. */
void copy_ready(struct edge_copier *copy);
void copy_lost(struct edge_copier *copy);

/* answers.c: takes the answers that are here. Returns 1 when all have come, 0 when more will, -1 when lost. */
int pipeline_read(struct db_connection *connection);

#endif
