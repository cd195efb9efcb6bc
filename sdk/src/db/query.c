/*
 * Queries: one operation each, a pipeline of one or several statements.
 */
#include <edge/db.h>

#include "db/operation.h"

static struct operation begin(edge_ctx *ctx, bool service, struct edge_rows **rows, struct db_failure *failures)
{
    return (struct operation){
        .ctx = ctx,
        .caller = caller_of(ctx, service),
        .rows = rows,
        .arena = &ctx->arena,
        .failures = failures,
    };
}

/* NULL when the statement failed and error wants to know. */
static edge_rows *run_one(
    edge_ctx *ctx, bool service, edge_error *error, const char *sql, const edge_arg *args, size_t count)
{
    edge_rows *rows = NULL;
    struct db_failure failure = { 0 };
    struct operation operation = begin(ctx, service, &rows, &failure);
    struct bound_statement statement = bind_statement(ctx, sql, args, count);
    operation.statements = &statement;
    operation.count = 1;
    operation_run(&operation);

    if (failure.kind == DB_NO_FAILURE)
        return rows;
    if (error == NULL || failure_ends(&failure))
        failure_end(&operation, 0);
    failure_describe(&operation, 0, error);
    return NULL;
}

edge_rows *edge_query_args(edge_ctx *ctx, const char *sql, const edge_arg *args, size_t count)
{
    return run_one(ctx, false, NULL, sql, args, count);
}

edge_rows *edge_service_query_args(edge_ctx *ctx, const char *sql, const edge_arg *args, size_t count)
{
    return run_one(ctx, true, NULL, sql, args, count);
}

edge_rows *edge_try_query_args(
    edge_ctx *ctx, edge_error *error, const char *sql, const edge_arg *args, size_t count)
{
    return run_one(ctx, false, error, sql, args, count);
}

edge_rows *edge_try_service_query_args(
    edge_ctx *ctx, edge_error *error, const char *sql, const edge_arg *args, size_t count)
{
    return run_one(ctx, true, error, sql, args, count);
}

/* Nobody needs them behind the answer: a few lie on the fiber's stack, as the operation does. */
enum {
    FEW = 8
};

static struct bound_statement *bind_all(
    edge_ctx *ctx, struct bound_statement few[FEW], const edge_statement *statements, size_t count)
{
    struct bound_statement *bound = count <= FEW ? few : edge_alloc(ctx, count * sizeof *bound);
    for (size_t i = 0; i < count; i++)
        bound[i] = bind_statement(ctx, statements[i].sql, statements[i].args, statements[i].count);
    return bound;
}

/* False when a statement failed and error wants to know. */
static bool run_all(edge_ctx *ctx, bool service, edge_error *error, edge_rows **rows,
    const edge_statement *statements, size_t count)
{
    if (count == 0)
        return true;
    struct db_failure failure = { 0 };
    struct bound_statement few[FEW];
    struct operation operation = begin(ctx, service, rows, &failure);
    operation.statements = bind_all(ctx, few, statements, count);
    operation.count = count;
    operation_run(&operation);

    if (failure.kind == DB_NO_FAILURE)
        return true;
    if (error == NULL || failure_ends(&failure))
        failure_end(&operation, failure.statement);
    failure_describe(&operation, failure.statement, error);
    return false;
}

void edge_query_all(edge_ctx *ctx, edge_rows **rows, const edge_statement *statements, size_t count)
{
    run_all(ctx, false, NULL, rows, statements, count);
}

void edge_service_query_all(edge_ctx *ctx, edge_rows **rows, const edge_statement *statements, size_t count)
{
    run_all(ctx, true, NULL, rows, statements, count);
}

bool edge_try_query_together(
    edge_ctx *ctx, edge_error *error, edge_rows **rows, const edge_statement *statements, size_t count)
{
    return run_all(ctx, false, error, rows, statements, count);
}

bool edge_try_service_query_together(
    edge_ctx *ctx, edge_error *error, edge_rows **rows, const edge_statement *statements, size_t count)
{
    return run_all(ctx, true, error, rows, statements, count);
}

void edge_try_query_all(
    edge_ctx *ctx, edge_rows **rows, edge_error *errors, const edge_statement *statements, size_t count)
{
    if (count == 0)
        return;
    struct bound_statement few[FEW];
    struct db_failure few_failures[FEW] = { 0 };
    struct db_failure *failures = count <= FEW ? few_failures : edge_alloc(ctx, count * sizeof *failures);
    struct operation operation = begin(ctx, false, rows, failures);
    operation.statements = bind_all(ctx, few, statements, count);
    operation.count = count;
    operation.isolated = true;
    operation_run(&operation);

    for (size_t i = 0; i < count; i++) {
        errors[i] = (edge_error){ 0 };
        if (failures[i].kind == DB_NO_FAILURE)
            continue;
        if (failure_ends(&failures[i]))
            failure_end(&operation, i);
        failure_describe(&operation, i, &errors[i]);
    }
}
