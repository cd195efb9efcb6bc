/*
 * The server's answers to an operation, in the order in which they are owed.
 */
#include "db/connection.h"
#include "db/pool.h"
#include "db/rows.h"

#include <string.h>

static void take_rows(struct operation *operation, size_t statement, const PGresult *result)
{
    struct db_failure *failure = operation_failure(operation, statement);
    if (operation->rows == NULL || failure->kind != DB_NO_FAILURE)
        return;
    operation->rows[statement] = rows_copy(operation->ctx, operation->arena, result);
    if (operation->rows[statement] == NULL)
        failure->kind = DB_TOO_LARGE;
}

/* COMMIT of a transaction that had failed answers ROLLBACK, and calls that success. */
static void check_commit(struct operation *operation, size_t statement, PGresult *result)
{
    struct db_failure *failure = operation_failure(operation, statement);
    if (strcmp(PQcmdStatus(result), "COMMIT") == 0 || failure->kind != DB_NO_FAILURE)
        return;
    failure->kind = DB_REFUSED;
    memcpy(failure->sqlstate, "25P02", sizeof failure->sqlstate);
    failure->message = "the transaction was rolled back instead of committed";
}

static void take_success(struct db_connection *connection, const struct expected *answered, PGresult *result)
{
    struct operation *operation = connection->operation;
    if (answered->kind == EXPECT_PREPARED)
        answered->prepared->ready = true;
    else if (answered->kind == EXPECT_ROWS && operation != NULL)
        take_rows(operation, answered->statement, result);
    else if (answered->kind == EXPECT_COMMIT && operation != NULL)
        check_commit(operation, answered->statement, result);
}

/* An error, or what was skipped behind one. At a SYNC it is the commit that failed: a deferred check, 40001. */
static void take_failure(struct db_connection *connection, const struct expected *answered, PGresult *result)
{
    struct operation *operation = connection->operation;
    if (answered->kind == EXPECT_PREPARED)
        statement_remove(&connection->statements, answered->prepared);
    if (PQresultStatus(result) == PGRES_PIPELINE_ABORTED)
        return;
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (sqlstate != NULL && sqlstate_is_stale(sqlstate))
        connection->statements_stale = true;
    if (operation != NULL && answered->statement != SIZE_MAX)
        operation_refused(operation, answered->statement, result);
    else if (connection->state == CONNECTION_SETTING_UP)
        connection->setup_failed = true;
}

/* A transaction has ended: what failed in it has no rows. */
static void settle(struct operation *operation, size_t statement)
{
    size_t first = operation->settled_count;
    operation->settled_count = statement + 1;
    if (operation->rows == NULL || operation_failure(operation, statement)->kind == DB_NO_FAILURE)
        return;
    for (size_t i = first; i <= statement && i < operation->count; i++)
        operation->rows[i] = NULL;
}

/* COPY has no place in a pipeline: libpq and the server are out of step from here on. */
static void refuse_copy(struct db_connection *connection, size_t statement)
{
    struct operation *operation = connection->operation;
    if (operation == NULL || statement >= operation->count)
        return;
    *operation_failure(operation, statement) = (struct db_failure){
        .kind = DB_REFUSED,
        .message = "COPY is no query: call edge_copy_in or edge_copy_out",
        .statement = statement,
    };
}

/* False when the connection cannot be used any more. */
static bool take_result(struct db_connection *connection, PGresult *result)
{
    const struct expected *answered = &connection->expected[connection->expected_next];
    switch (PQresultStatus(result)) {
    case PGRES_TUPLES_OK:
    case PGRES_COMMAND_OK:
    case PGRES_EMPTY_QUERY:
        take_success(connection, answered, result);
        return answered->kind != EXPECT_SYNC;
    case PGRES_FATAL_ERROR:
    case PGRES_PIPELINE_ABORTED:
        take_failure(connection, answered, result);
        return true;
    case PGRES_PIPELINE_SYNC:
        if (connection->operation != NULL && answered->statement != SIZE_MAX)
            settle(connection->operation, answered->statement);
        connection->expected_next++;
        return answered->kind == EXPECT_SYNC;
    default:
        refuse_copy(connection, answered->statement);
        return false;
    }
}

/* NULL ends the answers to one statement; the Sync has none behind it, but may have an error in front. */
static bool end_of_answer(struct db_connection *connection, bool twice)
{
    if (connection->expected[connection->expected_next].kind != EXPECT_SYNC)
        connection->expected_next++;
    return !twice;
}

int pipeline_read(struct db_connection *connection)
{
    bool ended = false;
    while (connection->expected_next < connection->expected_count) {
        if (PQisBusy(connection->pg))
            return 0;
        PGresult *result = PQgetResult(connection->pg);
        bool expected = result != NULL ? take_result(connection, result) : end_of_answer(connection, ended);
        ended = result == NULL;
        PQclear(result);
        if (!expected || PQstatus(connection->pg) == CONNECTION_BAD)
            return -1;
    }
    connection->expected_count = connection->expected_next = 0;
    return 1;
}
