/*
 * Rows as JSON, a cell by its column's type.
 */
#include "db/rows.h"

#include <edge/json.h>

#include "db/oids.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * jansson says NULL both when the arena is used up and for bytes that are not UTF-8, which only a database
 * of encoding SQL_ASCII can hold.
 */
static json_t *made(edge_ctx *ctx, json_t *value)
{
    if (value == NULL) {
        edge_alloc(ctx, 64);
        context_fail_detail(ctx, 500, "internal_error", "The database holds text that is not UTF-8", NULL);
    }
    return value;
}

static json_t *text_json(edge_ctx *ctx, const char *text)
{
    return made(ctx, json_string(text));
}

/* NaN and infinities are no JSON numbers; PostgreSQL's own to_json makes strings of them, too. */
static json_t *number_json(edge_ctx *ctx, const char *text)
{
    char *end;
    errno = 0;
    long long integer = strtoll(text, &end, 10);
    if (*end == '\0' && errno == 0)
        return made(ctx, json_integer(integer));

    double number = strtod(text, NULL);
    return isfinite(number) ? made(ctx, json_real(number)) : text_json(ctx, text);
}

/* What jansson cannot hold (an integer beyond 64 bits, 1e400, a very deep nesting) stays text. */
static json_t *document_json(edge_ctx *ctx, const char *text)
{
    json_t *value = edge_json_parse(ctx, text, strlen(text));
    return value != NULL ? value : text_json(ctx, text);
}

json_t *rows_json_value(edge_ctx *ctx, Oid type, const char *text)
{
    switch (type) {
    case OID_BOOL:
        return json_boolean(text[0] == 't');
    case OID_INT2:
    case OID_INT4:
    case OID_INT8:
    case OID_OID:
    case OID_FLOAT4:
    case OID_FLOAT8:
    case OID_NUMERIC:
        return number_json(ctx, text);
    case OID_JSON:
    case OID_JSONB:
        return document_json(ctx, text);
    case OID_TIMESTAMP:
    case OID_TIMESTAMPTZ:
        return text_json(ctx, rows_iso_time(ctx, text));
    default:
        break;
    }
    Oid item_type = rows_item_type(type);
    json_t *array = item_type != 0 ? rows_json_array(ctx, item_type, text) : NULL;
    return array != NULL ? array : text_json(ctx, text);
}

json_t *edge_row_json(const edge_rows *rows, size_t row)
{
    if (row >= rows->row_count)
        context_fail_detail(rows->ctx, 500, "internal_error", "The function asked for a row that is not there",
            edge_format(rows->ctx, "row %zu of %zu", row, rows->row_count));

    json_t *object = made(rows->ctx, json_object());
    const char **cells = rows->cells + row * rows->column_count;
    for (size_t i = 0; i < rows->column_count; i++) {
        const struct rows_column *column = &rows->columns[i];
        json_t *value = cells[i] != NULL ? rows_json_value(rows->ctx, column->type, cells[i]) : json_null();
        if (json_object_set_new(object, column->name, value) < 0)
            made(rows->ctx, NULL);
    }
    return object;
}

json_t *edge_rows_json(const edge_rows *rows)
{
    json_t *array = made(rows->ctx, json_array());
    for (size_t row = 0; row < rows->row_count; row++)
        if (json_array_append_new(array, edge_row_json(rows, row)) < 0)
            made(rows->ctx, NULL);
    return array;
}
