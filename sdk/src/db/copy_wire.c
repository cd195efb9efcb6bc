/*
 * COPY on the wire; see copy.h.
 *
 * libpq's pipeline mode has no COPY, so the connection leaves it between two Syncs and comes back behind the
 * last answer. Everything here runs on the loop's stack.
 */
#include "db/copy.h"

#include "db/connection.h"
#include "db/fault.h"

#include <stdlib.h>
#include <string.h>

static void wake(struct edge_copier *copy)
{
    struct fiber_wait *parked = copy->parked;
    copy->parked = NULL;
    if (parked != NULL)
        fiber_wake(parked);
}

void copy_lost(struct edge_copier *copy)
{
    if (copy->failure.kind == DB_NO_FAILURE)
        copy->failure =
            (struct db_failure){ .kind = DB_UNAVAILABLE, .message = "the connection broke in COPY" };
    copy->connection = NULL;
    copy->state = COPY_ENDED;
    wake(copy);
}

/* The first failure is the one that counts; without a kind libpq says what it was. */
static void give_up(struct edge_copier *copy, int kind, const char *message)
{
    if (copy->failure.kind == DB_NO_FAILURE && kind != DB_NO_FAILURE)
        copy->failure = (struct db_failure){ .kind = kind, .message = message };
    db_connection_lose(copy->connection, message);
}

static void ended(struct edge_copier *copy)
{
    struct db_connection *connection = copy->connection;
    if (!PQenterPipelineMode(connection->pg)) {
        give_up(copy, DB_NO_FAILURE, NULL);
        return;
    }
    connection->copy = NULL;
    db_connection_set_state(connection, CONNECTION_PINNED);
    db_connection_watch(connection, EV_READ);
    copy->connection = NULL;
    copy->state = COPY_ENDED;
    wake(copy);
}

/* An answer that is no data: the beginning, the count, or an error. False when the connection was given up. */
static bool take_answer(struct edge_copier *copy, PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT) {
        copy->state = status == PGRES_COPY_OUT ? COPY_OUT : COPY_IN;
        if (copy->wants_out == (status == PGRES_COPY_OUT) && !PQbinaryTuples(result))
            return true;
        give_up(copy, DB_REFUSED, "COPY goes the other way, or is binary");
        return false;
    }
    if (copy->state == COPY_STARTING && (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK))
        copy->failure = (struct db_failure){ .kind = DB_REFUSED, .message = "the statement is no COPY" };
    else if (status == PGRES_COMMAND_OK)
        copy->rows = strtoul(PQcmdTuples(result), NULL, 10);
    else if (status == PGRES_FATAL_ERROR)
        operation_refused(&copy->operation, 0, result);
    copy->state = COPY_ENDING;
    return true;
}

static void take_answers(struct edge_copier *copy)
{
    while (!PQisBusy(copy->connection->pg)) {
        PGresult *result = PQgetResult(copy->connection->pg);
        if (result == NULL) {
            ended(copy);
            return;
        }
        bool fine = take_answer(copy, result);
        PQclear(result);
        if (!fine)
            return;
        if (copy->state == COPY_IN || copy->state == COPY_OUT) {
            wake(copy);
            return;
        }
    }
}

/* COPY hands out whole rows, so one row is all that has to fit into the invocation's memory. */
static size_t row_limit(const struct edge_copier *copy)
{
    return copy->tx->ctx->arena.limit_bytes;
}

/* Rows as far as they are here; the fiber goes on with a full piece, or with what there is when no more is. */
static void take_rows(struct edge_copier *copy)
{
    struct db_connection *connection = copy->connection;
    int length = 0;
    while (copy->piece.length < COPY_PIECE_BYTES) {
        char *row = NULL;
        length = PQgetCopyData(connection->pg, &row, 1);
        if (length <= 0)
            break;
        bool kept = (size_t)length <= row_limit(copy) && buffer_put(&copy->piece, row, (size_t)length);
        PQfreemem(row);
        if (length > CONNECTION_OVERSIZED_BYTES)
            connection->oversized = true;
        connection->received_bytes = 0;
        if (!kept) {
            give_up(copy, DB_TOO_LARGE, "a row is too large");
            return;
        }
    }
    if (length < 0)
        copy->state = COPY_ENDING; /* the count comes next, or the error */
    if (copy->piece.length > 0) {
        db_connection_watch(connection, 0);
        wake(copy);
    } else if (length < 0) {
        take_answers(copy);
    }
}

void copy_want_piece(void *arg)
{
    struct edge_copier *copy = arg;
    copy->piece.length = 0;
    if (copy->connection == NULL) {
        wake(copy);
        return;
    }
    db_connection_watch(copy->connection, EV_READ);
    if (copy->state == COPY_OUT)
        take_rows(copy);
    else
        take_answers(copy);
}

/*
 * libpq collects a row whole before it hands it out. What it has taken is known roughly, never too high: this
 * ends most of what is too large early, and take_rows the rest.
 */
static bool row_is_too_large(const struct edge_copier *copy)
{
    return copy->state == COPY_OUT && copy->connection->received_bytes > row_limit(copy);
}

void copy_ready(struct edge_copier *copy)
{
    struct db_connection *connection = copy->connection;
    int left = PQflush(connection->pg);
    if (left < 0) {
        give_up(copy, DB_NO_FAILURE, NULL);
        return;
    }
    db_connection_watch(connection, left > 0 ? EV_READ | EV_WRITE : EV_READ);
    if (row_is_too_large(copy))
        give_up(copy, DB_TOO_LARGE, "closed in the middle of a row that is too large");
    else if (copy->state == COPY_OUT)
        take_rows(copy);
    else if (copy->state != COPY_IN)
        take_answers(copy);
    else if (left == 0)
        wake(copy);
}

/* What a test wants to go wrong here. True: with the connection, which is lost. */
static bool suffer_fault(struct db_connection *connection, bool *refused)
{
    enum db_fault fault = fault_next();
    *refused = fault == FAULT_REFUSED;
    connection->breaks = fault == FAULT_BREAK_AFTER;
    return fault == FAULT_BREAK_BEFORE;
}

void copy_send_statement(void *arg)
{
    struct edge_copier *copy = arg;
    struct db_connection *connection = copy->tx->connection;
    if (connection == NULL) {
        copy_lost(copy);
        return;
    }
    copy->connection = connection;
    copy->operation.sent_us = clock_us();
    connection->copy = copy;
    connection->received_bytes = 0;
    connection->reads = 0;
    db_connection_set_state(connection, CONNECTION_COPYING);
    bool refused = false;
    if (suffer_fault(connection, &refused) || !PQexitPipelineMode(connection->pg) ||
        !PQsendQueryParams(
            connection->pg, refused ? "SELECT 1 / 0" : copy->statement.sql, 0, NULL, NULL, NULL, NULL, 0))
        give_up(copy, DB_NO_FAILURE, NULL);
    else
        copy_ready(copy);
}

void copy_send_piece(void *arg)
{
    struct edge_copier *copy = arg;
    struct db_connection *connection = copy->connection;
    if (connection == NULL) {
        wake(copy);
        return;
    }
    bool sent = PQputCopyData(connection->pg, copy->piece.data, (int)copy->piece.length) == 1;
    copy->piece.length = 0;
    if (sent)
        copy_ready(copy);
    else
        give_up(copy, DB_NO_FAILURE, NULL);
}

void copy_send_end(void *arg)
{
    struct edge_copier *copy = arg;
    if (copy->connection == NULL) {
        wake(copy);
        return;
    }
    copy->state = COPY_ENDING;
    bool refused = false;
    if (!suffer_fault(copy->connection, &refused) &&
        PQputCopyEnd(copy->connection->pg, refused ? "a fault" : NULL) == 1)
        copy_ready(copy);
    else
        give_up(copy, DB_NO_FAILURE, NULL);
}
