/*
 * Statements that are put together: pieces that are literals of the program, and values that are parameters.
 * There is no call that takes a value as text.
 */
#ifndef LIB_SQL_H
#define LIB_SQL_H

#include "lib/column.h"
#include "lib/text.h"

struct sql {
    struct text text;
    edge_arg args[EDGE_MAX_ARGS];
    size_t count;
};

EDGE_RETURNS_NONNULL struct sql *sql_begin(edge_ctx *ctx, const char *literal);

/* Adds literals of the program, the last one NULL: keywords, and names of the catalogue. */
EDGE_SENTINEL void sql_add(struct sql *sql, const char *literal, ...);

/* Adds a parameter: "$n". */
void sql_arg(struct sql *sql, edge_arg arg);

/* Adds a column's value with what stands around it. */
void sql_value(struct sql *sql, const struct column_value *value);

/* Adds the columns that a caller may see, after a comma each but the first. */
void sql_columns(struct sql *sql, const struct entity *entity, bool admin);

edge_statement sql_statement(const struct sql *sql);

/* Runs it as the caller, or as the service. */
EDGE_RETURNS_NONNULL edge_rows *sql_query(edge_ctx *ctx, bool service, const struct sql *sql);

/* The same, NULL and *error when it is refused. */
EDGE_MUST_USE edge_rows *sql_try_query(edge_ctx *ctx, bool service, edge_error *error, const struct sql *sql);

#endif
