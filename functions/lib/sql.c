/*
 * Statements that are put together. The same request makes the same text, so the prepared statements of the
 * pool are used again.
 */
#include "lib/sql.h"

struct sql *sql_begin(edge_ctx *ctx, const char *literal)
{
    struct sql *sql = edge_alloc(ctx, sizeof *sql);
    sql->text.ctx = ctx;
    text_add(&sql->text, literal);
    return sql;
}

void sql_add(struct sql *sql, const char *literal, ...)
{
    va_list more;
    va_start(more, literal);
    for (; literal != NULL; literal = va_arg(more, const char *))
        text_add(&sql->text, literal);
    va_end(more);
}

void sql_arg(struct sql *sql, edge_arg arg)
{
    if (sql->count == EDGE_MAX_ARGS)
        edge_fail(sql->text.ctx, 500, "internal_error", "A statement has too many parameters");
    sql->args[sql->count++] = arg;
    text_add_format(&sql->text, "$%zu", sql->count);
}

void sql_value(struct sql *sql, const struct column_value *value)
{
    text_add(&sql->text, value->before);
    sql_arg(sql, value->arg);
    text_add(&sql->text, value->after);
}

void sql_columns(struct sql *sql, const struct entity *entity, bool admin)
{
    const char *separator = "";
    for (const struct entity_column *column = entity->columns; column->name != NULL; column++) {
        if (!entity_column_visible(column, admin))
            continue;
        sql_add(sql, separator, column->name, NULL);
        separator = ", ";
    }
}

edge_statement sql_statement(const struct sql *sql)
{
    return (edge_statement){ .sql = sql->text.data, .args = sql->args, .count = sql->count };
}

edge_rows *sql_query(edge_ctx *ctx, bool service, const struct sql *sql)
{
    return (service ? edge_service_query_args : edge_query_args)(ctx, sql->text.data, sql->args, sql->count);
}

edge_rows *sql_try_query(edge_ctx *ctx, bool service, edge_error *error, const struct sql *sql)
{
    return (service ? edge_try_service_query_args : edge_try_query_args)(
        ctx, error, sql->text.data, sql->args, sql->count);
}
