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

/* A copy in an arena, the invocation's or a cursor's; NULL when it refuses. */
struct edge_rows *rows_copy(edge_ctx *ctx, struct arena *arena, const PGresult *result);

/* A column by its name, and a cell's text (NULL is SQL NULL) with its type; what is not there ends with 500. */
const char *rows_cell(const struct edge_rows *rows, size_t row, const char *column, Oid *type);

/* One cell as JSON; text is not NULL. Ends the invocation when memory is short. */
json_t *rows_json_value(edge_ctx *ctx, Oid type, const char *text);

/* An array literal as JSON ("{1,NULL}" becomes [1, null]); NULL when it is malformed. */
json_t *rows_json_array(edge_ctx *ctx, Oid item_type, const char *literal);

/* Items of an array literal of one dimension, NULL items as NULL; NULL when it is another or malformed. */
const char *const *rows_array_items(edge_ctx *ctx, const char *literal, size_t *count);

/* Item type of an array type, 0 when it is none that is known. */
Oid rows_item_type(Oid array_type);

/* Ends the invocation (500) when text is not UTF-8. */
void rows_check_utf8(edge_ctx *ctx, const char *text, size_t length);

/* A timestamp or date as PostgreSQL writes it in ISO style, as Unix microseconds. */
int64_t rows_parse_time(const char *text);

#define ISO_TIME_SIZE 48

/* timestamptz or timestamp as ISO 8601: a T between day and time, minutes in the offset. */
const char *rows_iso_time(const char *text, char iso[ISO_TIME_SIZE]);

#endif
