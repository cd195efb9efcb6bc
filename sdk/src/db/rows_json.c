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

void rows_check_utf8(edge_ctx *ctx, const char *text, size_t length)
{
    json_decref(made(ctx, json_stringn(text, length)));
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

/* Digits of an integer that jansson would refuse: 19 may be too many. */
#define SAFE_DIGITS 18

/*
 * The text with ".0" behind every integer that may not fit into 64 bits, so that it is read as a double. Digits
 * in front of a fraction or an exponent, and inside of strings, are left alone.
 */
static const char *widen_integers(edge_ctx *ctx, const char *text)
{
    size_t length = strlen(text);
    char *wide = edge_alloc(ctx, length + length / SAFE_DIGITS * 2 + 1), *out = wide;
    bool in_string = false;
    for (const char *at = text; *at != '\0';) {
        size_t digits = in_string ? 0 : strspn(at, "0123456789");
        if (digits > 0) {
            out = mempcpy(out, at, digits);
            at += digits;
            if (digits > SAFE_DIGITS && (*at == '\0' || strchr(".eE", *at) == NULL))
                out = stpcpy(out, ".0");
            else /* its fraction and exponent */
                for (size_t rest = strspn(at, ".eE+-0123456789"); rest > 0; rest--)
                    *out++ = *at++;
            continue;
        }
        if (*at == '"')
            in_string = !in_string;
        else if (in_string && *at == '\\')
            *out++ = *at++;
        *out++ = *at++;
    }
    return wide;
}

/*
 * jansson holds integers of 64 bits and doubles: an integer beyond that becomes a double. A document with what
 * that cannot hold either (1e400, a very deep nesting) stays text.
 */
static json_t *document_json(edge_ctx *ctx, const char *text)
{
    json_t *value = edge_json_parse(ctx, text, strlen(text));
    if (value == NULL) {
        const char *wide = widen_integers(ctx, text);
        value = edge_json_parse(ctx, wide, strlen(wide));
    }
    return value != NULL ? value : text_json(ctx, text);
}

json_t *rows_json_value(edge_ctx *ctx, Oid type, const char *text)
{
    char iso[ISO_TIME_SIZE];
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
        return text_json(ctx, rows_iso_time(text, iso));
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
