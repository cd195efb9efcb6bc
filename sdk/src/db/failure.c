/*
 * What a failed operation becomes: an edge_error for calls that try, the invocation's end for the others.
 */
#include "db/operation.h"

#include <edge/log.h>

static const struct {
    int status;
    const char *code, *message;
} answers[] = {
    [DB_REFUSED] = { 500, "internal_error", "The database refused a statement" },
    [DB_TIMED_OUT] = { 504, "timeout", "The database took longer than the time that was left" },
    [DB_BUSY] = { 503, "database_busy", "No database connection came free in time" },
    [DB_UNAVAILABLE] = { 503, "database_unavailable", "The database cannot be reached" },
    [DB_TOO_LARGE] = { 500, "memory_limit",
        "The answer of a query does not fit into the function's memory limit" },
    [DB_NOT_SET_UP] = { 503, "not_configured", "DATABASE_URL is not configured" },
};

void failure_describe(const struct operation *operation, size_t statement, edge_error *error)
{
    const struct db_failure *failure = &operation->failures[operation->isolated ? statement : 0];
    *error = (edge_error){
        .status = answers[failure->kind].status,
        .code = answers[failure->kind].code,
        .message = answers[failure->kind].message,
        .detail =
            failure->sqlstate[0] != '\0' ? edge_copy(operation->ctx, failure->sqlstate) : failure->message,
    };
}

bool failure_ends(const struct db_failure *failure)
{
    return failure->kind == DB_TIMED_OUT || failure->kind == DB_TOO_LARGE;
}

void failure_end(struct operation *operation, size_t statement)
{
    edge_ctx *ctx = operation->ctx;
    const struct db_failure *failure = operation_failure(operation, statement);
    if (failure->kind == DB_TOO_LARGE)
        arena_open_reserve(&ctx->arena);

    edge_log(ctx, EDGE_LOG_ERROR, "query_failed", { "failure", edge_text(answers[failure->kind].code) },
        { "sqlstate", edge_text(failure->sqlstate[0] != '\0' ? failure->sqlstate : NULL) },
        { "message", edge_text(failure->message) },
        { "statement", edge_text(statement < operation->count ? operation->statements[statement].sql : NULL) });

    edge_error error;
    failure_describe(operation, statement, &error);
    edge_fail_error(ctx, &error);
}
