/*
 * Typed access to the columns of a result.
 */
#include "db/rows.h"

#include "db/oids.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

size_t edge_rows_count(const edge_rows *rows)
{
    return rows->row_count;
}

size_t edge_rows_affected(const edge_rows *rows)
{
    return rows->affected;
}

static size_t find_column(const edge_rows *rows, const char *name)
{
    for (size_t i = 0; i < rows->column_count; i++)
        if (strcmp(rows->columns[i].name, name) == 0)
            return i;

    context_fail_detail(rows->ctx, 500, "internal_error",
        "The function asked for a column that the query lacks",
        edge_format(rows->ctx, "no column \"%s\"", name));
}

/* *type may be NULL. */
const char *rows_cell(const edge_rows *rows, size_t row, const char *column, Oid *type)
{
    size_t index = find_column(rows, column);
    if (row >= rows->row_count)
        context_fail_detail(rows->ctx, 500, "internal_error", "The function asked for a row that is not there",
            edge_format(rows->ctx, "row %zu of %zu, column \"%s\"", row, rows->row_count, column));
    if (type != NULL)
        *type = rows->columns[index].type;
    return rows->cells[row * rows->column_count + index];
}

bool edge_rows_null(const edge_rows *rows, size_t row, const char *column)
{
    return rows_cell(rows, row, column, NULL) == NULL;
}

const char *edge_rows_text(const edge_rows *rows, size_t row, const char *column)
{
    return rows_cell(rows, row, column, NULL);
}

int64_t edge_rows_int(const edge_rows *rows, size_t row, const char *column)
{
    Oid type;
    const char *text = rows_cell(rows, row, column, &type);
    if (text == NULL)
        return 0;
    if (type == OID_BOOL)
        return text[0] == 't';

    char *end;
    errno = 0;
    int64_t value = strtoll(text, &end, 10);
    if (*end == '\0' && errno == 0)
        return value;

    /* A fraction, an exponent, or beyond 64 bits: what the double says, held within int64_t. */
    double number = strtod(text, NULL);
    if (isnan(number))
        return 0;
    if (number >= 0x1p63)
        return INT64_MAX;
    return number < -0x1p63 ? INT64_MIN : (int64_t)number;
}

double edge_rows_number(const edge_rows *rows, size_t row, const char *column)
{
    Oid type;
    const char *text = rows_cell(rows, row, column, &type);
    if (text == NULL)
        return 0;
    return type == OID_BOOL ? text[0] == 't' : strtod(text, NULL);
}

bool edge_rows_bool(const edge_rows *rows, size_t row, const char *column)
{
    Oid type;
    const char *text = rows_cell(rows, row, column, &type);
    if (text == NULL)
        return false;
    return text[0] == 't' || (type != OID_BOOL && strtod(text, NULL) != 0);
}

int64_t edge_rows_time(const edge_rows *rows, size_t row, const char *column)
{
    const char *text = rows_cell(rows, row, column, NULL);
    return text != NULL ? rows_parse_time(text) : 0;
}

json_t *edge_rows_value(const edge_rows *rows, size_t row, const char *column)
{
    Oid type;
    const char *text = rows_cell(rows, row, column, &type);
    return text != NULL ? rows_json_value(rows->ctx, type, text) : json_null();
}

const char *edge_rows_decimal(const edge_rows *rows, size_t row, const char *column)
{
    Oid type;
    const char *text = rows_cell(rows, row, column, &type);
    if (type != OID_NUMERIC && type != OID_INT2 && type != OID_INT4 && type != OID_INT8 && type != OID_OID)
        context_fail_detail(rows->ctx, 500, "internal_error",
            "The function asked for the digits of a column that has none",
            edge_format(rows->ctx, "\"%s\" is neither numeric nor an integer", column));
    return text;
}

const void *edge_rows_bytes(const edge_rows *rows, size_t row, const char *column, size_t *length)
{
    Oid type;
    const char *text = rows_cell(rows, row, column, &type);
    *length = text != NULL ? strlen(text) : 0;
    if (text == NULL || type != OID_BYTEA)
        return text;

    /* The memory first: what libpq hands out would be lost if it were refused. */
    bool hex = text[0] == '\\' && text[1] == 'x';
    char *bytes = edge_alloc(rows->ctx, (hex ? *length / 2 : *length) + 1);
    unsigned char *raw = PQunescapeBytea((const unsigned char *)text, length);
    if (raw == NULL)
        edge_fail(rows->ctx, 503, "overloaded", "The host is out of memory");
    memcpy(bytes, raw, *length);
    PQfreemem(raw);
    return bytes;
}
