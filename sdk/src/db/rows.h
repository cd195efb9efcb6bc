/*
 * A result in the invocation's memory.
 *
 * It is copied out of the PGresult, which takes 3 to 4 KiB for a single row of a few columns and lives
 * outside of the arena; the copy takes what the texts take. So an invocation that reads five rows and then
 * waits a minute for a provider holds some hundred bytes for them, the memory limit counts them by itself,
 * and nothing of libpq has to be cleared when a fiber is abandoned.
 */
#ifndef DB_ROWS_H
#define DB_ROWS_H

#include <edge/db.h>

#include <context.h>

#include <libpq-fe.h>

struct rows_column {
    const char *name;
    Oid type;
};

struct edge_rows {
    edge_ctx *ctx;
    size_t row_count, column_count, affected;
    struct rows_column *columns;
    const char **cells; /* row by row; NULL is SQL NULL */
};

/* NULL when the arena refuses. */
struct edge_rows *rows_copy(edge_ctx *ctx, const PGresult *result);

/* One cell as JSON; text is not NULL. Ends the invocation when memory is short. */
json_t *rows_json_value(edge_ctx *ctx, Oid type, const char *text);

/* An array literal as JSON ("{1,NULL}" becomes [1, null]); NULL when it is malformed. */
json_t *rows_json_array(edge_ctx *ctx, Oid item_type, const char *literal);

/* Item type of an array type, 0 when it is none that is known. */
Oid rows_item_type(Oid array_type);

/* A timestamp or date as PostgreSQL writes it in ISO style, as Unix microseconds. */
int64_t rows_parse_time(const char *text);

/* timestamptz or timestamp as ISO 8601: a T between day and time, minutes in the offset. */
const char *rows_iso_time(edge_ctx *ctx, const char *text);

#endif
