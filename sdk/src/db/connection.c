/*
 * The life of a connection once it is up; connecting is in connect.c. See connection.h.
 */
#include "db/connection.h"

#include "db/cancel.h"
#include "db/pool.h"
#include "db/resolve.h"

#include <edge/log.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/*
 * An abandoned operation has usually been answered already, or its own statement_timeout is about to end it:
 * only what is still running after the first of these gets a cancel request. What that does not end until the
 * second costs the connection.
 */
#define CANCEL_AFTER_S 0.02
#define CLOSE_AFTER_S 1.0

/* libpq's input buffer, as long as no row outgrows it. */
#define LIBPQ_READ_BYTES ((size_t)16 * 1024)

void db_connection_set_state(struct db_connection *connection, enum connection_state state)
{
    if (connection->state == CONNECTION_IDLE)
        pool_remove_idle(connection);
    connection->state = state;
}

void db_connection_lose(struct db_connection *connection, const char *message)
{
    char reason[256];
    const char *why = message != NULL ? message : PQerrorMessage(connection->pg);
    snprintf(reason, sizeof reason, "%.*s", (int)strcspn(why, "\n"), why);

    bool was_up = db_connection_is_up(connection);
    struct operation *operation = connection->operation;
    db_connection_close(connection);
    if (operation != NULL) {
        operation_fail(operation, DB_UNAVAILABLE, "the connection broke before the answer was here");
        operation_done(operation);
    }
    pool_connection_lost(was_up, reason);
}

void db_connection_close(struct db_connection *connection)
{
    db_connection_set_state(connection, CONNECTION_CLOSED);
    ev_io_stop(pool_loop(), &connection->io);
    ev_timer_stop(pool_loop(), &connection->timer);
    if (connection->resolve != NULL)
        resolve_forget(connection->resolve);
    if (connection->cancel != NULL)
        cancel_forget(connection->cancel);
    connection->resolve = NULL;
    connection->cancel = NULL;
    if (connection->holder != NULL)
        *connection->holder = NULL;
    connection->holder = NULL;
    connection->operation = NULL;
    if (connection->copy != NULL)
        copy_lost(connection->copy);
    connection->copy = NULL;
    PQfinish(connection->pg);
    connection->pg = NULL;
    connection->expected_count = connection->expected_next = 0;
    statement_cache_clear(&connection->statements);
}

static void start_timer(struct db_connection *connection, double seconds)
{
    ev_timer_stop(pool_loop(), &connection->timer);
    ev_timer_set(&connection->timer, seconds, 0);
    ev_timer_start(pool_loop(), &connection->timer);
}

void db_connection_watch(struct db_connection *connection, int events)
{
    if ((connection->io.events & (EV_READ | EV_WRITE)) == events && ev_is_active(&connection->io))
        return;
    ev_io_stop(pool_loop(), &connection->io);
    ev_io_set(&connection->io, connection->fd, events);
    if (events != 0)
        ev_io_start(pool_loop(), &connection->io);
}

/* Writes what libpq holds; the rest goes when the socket takes more. */
bool db_connection_flush(struct db_connection *connection)
{
    int left = PQflush(connection->pg);
    if (left >= 0)
        db_connection_watch(connection, left > 0 ? EV_READ | EV_WRITE : EV_READ);
    return left >= 0;
}

void db_connection_send(struct db_connection *connection, struct operation *operation)
{
    db_connection_set_state(connection, CONNECTION_BUSY);
    connection->operation = operation;
    connection->received_bytes = 0;
    connection->reads = 0;
    operation->state = OPERATION_SENT;
    operation->connection = connection;
    if (operation->holder != NULL) {
        connection->holder = operation->holder;
        *operation->holder = connection;
    }
    if (!pipeline_send_operation(connection, operation) || !db_connection_flush(connection))
        db_connection_lose(connection, NULL);
}

/* Nothing is owed: a notice, or a NOTIFY that a function's LISTEN asked for and nobody can receive. */
static void drop_notifications(struct db_connection *connection)
{
    PGnotify *notification = NULL;
    PQisBusy(connection->pg); /* parses what has come */
    while ((notification = PQnotifies(connection->pg)) != NULL)
        PQfreemem(notification);
}

bool db_connection_is_alive(struct db_connection *connection)
{
    char byte;
    ssize_t length = 0;
    while ((length = recv(connection->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT)) > 0) {
        if (!PQconsumeInput(connection->pg))
            return false;
        drop_notifications(connection);
        if (connection->closing)
            return false;
    }
    return length < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

/* The connection has answered everything and nobody holds it: makes it clean, then it is the pool's. */
static void settle(struct db_connection *connection)
{
    if (connection->cancel != NULL) {
        /* The request could still hit the next statement. */
        db_connection_set_state(connection, CONNECTION_DRAINING);
        return;
    }
    if (PQtransactionStatus(connection->pg) != PQTRANS_IDLE) {
        db_connection_set_state(connection, CONNECTION_ROLLING_BACK);
        start_timer(connection, CLOSE_AFTER_S);
        if (!pipeline_send_rollback(connection) || !db_connection_flush(connection))
            db_connection_lose(connection, NULL);
        return;
    }
    ev_timer_stop(pool_loop(), &connection->timer);
    if (!connection->oversized) {
        pool_give(connection);
        return;
    }
    db_connection_close(connection);
    pool_connection_lost(true, NULL);
}

void db_connection_release(struct db_connection *connection)
{
    *connection->holder = NULL;
    connection->holder = NULL;
    if (connection->copy == NULL) {
        settle(connection);
        return;
    }
    /* In the middle of COPY there is no other way out: what has been copied in is undone by it. */
    db_connection_close(connection);
    pool_connection_lost(true, NULL);
}

void db_connection_cancel_arrived(struct db_connection *connection)
{
    connection->cancel = NULL;
    if (connection->state == CONNECTION_DRAINING && connection->expected_count == 0)
        settle(connection);
}

void db_connection_detach(struct db_connection *connection)
{
    db_connection_set_state(connection, CONNECTION_DRAINING);
    connection->operation = NULL;
    if (connection->holder != NULL)
        *connection->holder = NULL;
    connection->holder = NULL;
    connection->cancel_requested = false;
    start_timer(connection, CANCEL_AFTER_S);
}

/* The operation's last answer is here. */
static void answered(struct db_connection *connection)
{
    struct operation *operation = connection->operation;
    connection->operation = NULL;
    if (operation != NULL && operation_is_stale(operation)) {
        operation->resent = true;
        operation->failures[0] = (struct db_failure){ 0 };
        operation->settled_count = 0;
        db_connection_send(connection, operation);
        return;
    }
    if (operation != NULL)
        operation_done(operation);
    if (connection->state == CONNECTION_SETTING_UP && connection->setup_failed) {
        db_connection_lose(connection, "the server refused the session's settings");
        return;
    }
    if (connection->state == CONNECTION_SETTING_UP)
        pool_connected();
    if (connection->holder != NULL)
        db_connection_set_state(connection, CONNECTION_PINNED);
    else
        settle(connection);
}

static size_t unread(const struct db_connection *connection)
{
    int bytes = 0;
    return ioctl(connection->fd, FIONREAD, &bytes) == 0 ? (size_t)bytes : 0;
}

/*
 * libpq shows an answer only when it is complete, however large. What comes from the third piece on is counted
 * (by what it takes out of the socket, at least what its buffer holds at first), so that an answer that
 * cannot fit into the invocation's memory, or is large and wanted by nobody, ends the connection instead.
 */
static bool consume(struct db_connection *connection)
{
    if (++connection->reads < 3)
        return PQconsumeInput(connection->pg);

    size_t before = unread(connection);
    bool fine = PQconsumeInput(connection->pg);
    size_t after = unread(connection), least = before < LIBPQ_READ_BYTES ? before : LIBPQ_READ_BYTES;
    connection->received_bytes += before > after + least ? before - after : least;
    return fine;
}

static bool answer_is_too_large(struct db_connection *connection)
{
    if (connection->received_bytes > CONNECTION_OVERSIZED_BYTES)
        connection->oversized = true;
    const struct operation *operation = connection->operation;
    size_t limit = operation != NULL ? operation->ctx->arena.limit_bytes : CONNECTION_OVERSIZED_BYTES;
    return connection->received_bytes > limit;
}

static void refuse_answer(struct db_connection *connection)
{
    if (connection->operation != NULL)
        operation_fail(connection->operation, DB_TOO_LARGE, NULL);
    db_connection_lose(connection, "closed in the middle of an answer that is too large");
}

void db_connection_ready(struct db_connection *connection, int events)
{
    if ((events & EV_READ) && (connection->breaks || !consume(connection))) {
        db_connection_lose(connection, NULL);
        return;
    }
    if (connection->copy != NULL) {
        copy_ready(connection->copy);
        return;
    }
    if (!db_connection_flush(connection)) {
        db_connection_lose(connection, NULL);
        return;
    }
    if (answer_is_too_large(connection)) {
        refuse_answer(connection);
        return;
    }
    if (connection->expected_count == 0) {
        drop_notifications(connection);
        if (connection->closing)
            db_connection_lose(connection, "the server has closed the session");
        return;
    }
    int complete = pipeline_read(connection);
    if (complete < 0)
        db_connection_lose(connection, NULL);
    else if (complete > 0)
        answered(connection);
}

void db_connection_time_is_up(struct db_connection *connection)
{
    if (connection->state == CONNECTION_DRAINING && !connection->cancel_requested) {
        connection->cancel_requested = true;
        connection->cancel = cancel_send(connection);
        start_timer(connection, CLOSE_AFTER_S);
        return;
    }
    db_connection_lose(connection, "closed: the server did not answer in time");
}
