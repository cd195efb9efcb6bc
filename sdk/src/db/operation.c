/*
 * The fiber's side of an operation, and how it ends; see operation.h.
 */
#include "db/operation.h"

#include "db/connection.h"
#include "db/pool.h"

#include <string.h>

static void submit(void *arg)
{
    pool_submit(arg);
}

static void abandoned(struct fiber_wait *wait)
{
    struct operation *operation = (struct operation *)(void *)wait;
    if (operation->state == OPERATION_WAITING)
        pool_forget(operation);
    else if (operation->state == OPERATION_SENT)
        db_connection_detach(operation->connection);
}

void operation_run(struct operation *operation)
{
    edge_ctx *ctx = operation->ctx;
    operation->wait = (struct fiber_wait){ .abandon = abandoned, .reason = "query" };
    operation->state = OPERATION_NEW;
    operation->submitted_us = clock_us();

    fiber_on_loop(submit, operation);
    fiber_wait(&operation->wait);

    ctx->usage.db_us += clock_us() - operation->submitted_us;
    ctx->usage.query_count += (uint32_t)operation->count;
    pool_count(operation);
}

void operation_done(struct operation *operation)
{
    operation->state = OPERATION_DONE;
    operation->connection = NULL;
    fiber_wake(&operation->wait);
}

void operation_fail(struct operation *operation, int kind, const char *message)
{
    for (size_t i = operation->settled_count; i < operation->count; i++)
        if (operation->rows != NULL)
            operation->rows[i] = NULL;

    size_t first = operation->isolated ? operation->settled_count : 0;
    size_t end = operation->isolated ? operation->count : 1;
    for (size_t i = first; i < end; i++)
        if (operation->failures[i].kind == DB_NO_FAILURE)
            operation->failures[i] = (struct db_failure){ .kind = kind, .message = message };
}

/* Class 08, and what a server says when it goes away or is not there yet (57P01..57P03). */
static bool means_unavailable(const char *sqlstate)
{
    return strncmp(sqlstate, "08", 2) == 0 || strcmp(sqlstate, "57P01") == 0 ||
           strcmp(sqlstate, "57P02") == 0 || strcmp(sqlstate, "57P03") == 0;
}

/*
 * 57014 is our timeout when that had passed; otherwise somebody else cancelled the statement, which is no
 * fault of the function's time.
 */
static bool means_timeout(const struct operation *operation, const char *sqlstate)
{
    if (strcmp(sqlstate, "57014") != 0 || operation->timeout_ms == 0)
        return false;
    return clock_us() - operation->sent_us >= operation->timeout_ms * 1000;
}

void operation_refused(struct operation *operation, size_t statement, const PGresult *result)
{
    struct db_failure *failure = operation_failure(operation, statement);
    if (failure->kind != DB_NO_FAILURE)
        return;

    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    if (sqlstate == NULL || strlen(sqlstate) != 5) {
        sqlstate = "08006"; /* libpq's own errors have none; all of them mean that the connection is lost */
        message = PQresultErrorMessage(result);
    }

    failure->kind = means_unavailable(sqlstate)          ? DB_UNAVAILABLE
                    : means_timeout(operation, sqlstate) ? DB_TIMED_OUT
                                                         : DB_REFUSED;
    failure->statement = statement;
    memcpy(failure->sqlstate, sqlstate, sizeof failure->sqlstate);
    size_t length = message != NULL ? strlen(message) : 0;
    char *copy = arena_alloc(&operation->ctx->arena, length + 1);
    if (copy != NULL && length > 0)
        memcpy(copy, message, length);
    failure->message = copy != NULL ? copy : "out of memory";
}

/* 0A000 "cached plan must not change result type" after a migration; 26000 when somebody deallocated. */
bool sqlstate_is_stale(const char *sqlstate)
{
    return strcmp(sqlstate, "0A000") == 0 || strcmp(sqlstate, "26000") == 0;
}

/* The implicit transaction was undone as a whole. Of an explicit one the earlier statements would be lost. */
bool operation_is_stale(const struct operation *operation)
{
    if (operation->resent || operation->isolated || operation->holder != NULL)
        return false;
    const struct db_failure *failure = &operation->failures[0];
    return failure->kind == DB_REFUSED && sqlstate_is_stale(failure->sqlstate);
}
