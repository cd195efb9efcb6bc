/*
 * Rows as JSON text, straight from the text that came over the wire: no value is made that would be dropped
 * again. What is written is what edge_json_dump makes of edge_rows_json, but for the inside of json and jsonb,
 * whose numbers keep the digits that they have in the database.
 */
#include "db/rows.h"

#include <edge/db.h>
#include <edge/json.h>
#include <edge/response.h>

#include "base/json_dump.h"
#include "db/oids.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* As deep as edge_json_parse goes: what nests deeper is text there, and so it is here. */
#define DEPTH_MAX 128

/* A database of encoding SQL_ASCII may hold any bytes; jansson would refuse them, and so may clients. */
static void put_text(edge_ctx *ctx, struct json_output *out, const char *text)
{
    size_t length = strlen(text);
    bool ascii = true;
    for (size_t i = 0; i < length && ascii; i++)
        ascii = (unsigned char)text[i] < 0x80;
    if (!ascii)
        rows_check_utf8(ctx, text, length);
    json_put_string(out, text, length);
}

static void put_number(struct json_output *out, const char *text)
{
    char *end;
    errno = 0;
    (void)strtoll(text, &end, 10);
    if (*end == '\0' && errno == 0) {
        json_put(out, text, strlen(text));
        return;
    }
    double number = strtod(text, NULL);
    if (isfinite(number))
        json_put_number(out, number);
    else
        json_put_string(out, text, strlen(text));
}

static bool nests_too_deep(const char *text)
{
    int depth = 0;
    bool in_string = false;
    for (; *text != '\0' && depth <= DEPTH_MAX; text++) {
        if (*text == '"')
            in_string = !in_string;
        else if (in_string)
            text += *text == '\\';
        else
            depth += (*text == '[' || *text == '{') - (*text == ']' || *text == '}');
    }
    return depth > DEPTH_MAX;
}

/* The server has checked it; what is left to do is to leave out the blanks between its tokens. */
static void put_document(edge_ctx *ctx, struct json_output *out, const char *text)
{
    if (nests_too_deep(text)) {
        put_text(ctx, out, text);
        return;
    }
    const char *from = text;
    bool in_string = false;
    for (; *text != '\0'; text++) {
        if (*text == '"')
            in_string = !in_string;
        else if (in_string)
            text += *text == '\\';
        else if (strchr(" \t\r\n", *text) != NULL) {
            json_put(out, from, (size_t)(text - from));
            from = text + 1;
        }
    }
    json_put(out, from, (size_t)(text - from));
}

static void put_cell(edge_ctx *ctx, struct json_output *out, Oid type, const char *text)
{
    char iso[ISO_TIME_SIZE];
    switch (type) {
    case OID_BOOL:
        json_put(out, text[0] == 't' ? "true" : "false", text[0] == 't' ? 4 : 5);
        return;
    case OID_INT2:
    case OID_INT4:
    case OID_INT8:
    case OID_OID:
    case OID_FLOAT4:
    case OID_FLOAT8:
    case OID_NUMERIC:
        put_number(out, text);
        return;
    case OID_JSON:
    case OID_JSONB:
        put_document(ctx, out, text);
        return;
    case OID_TIMESTAMP:
    case OID_TIMESTAMPTZ:
        put_text(ctx, out, rows_iso_time(text, iso));
        return;
    default:
        break;
    }
    if (rows_item_type(type) == 0) {
        put_text(ctx, out, text);
        return;
    }
    json_t *array = rows_json_value(ctx, type, text);
    json_put_value(out, array);
    json_decref(array);
}

/* Of columns with one name the last one's value counts, in the first one's place: as in an object. */
static const size_t *column_sources(const edge_rows *rows)
{
    size_t *sources = edge_alloc(rows->ctx, rows->column_count * sizeof *sources);
    for (size_t i = 0; i < rows->column_count; i++) {
        size_t first = 0;
        while (strcmp(rows->columns[first].name, rows->columns[i].name) != 0)
            first++;
        sources[i] = first < i ? SIZE_MAX : i;
        sources[first] = i;
    }
    return sources;
}

static void put_row(
    struct json_output *out, const edge_rows *rows, const char *const *cells, const size_t *sources)
{
    bool first = true;
    json_put(out, "{", 1);
    for (size_t i = 0; i < rows->column_count; i++) {
        if (sources[i] == SIZE_MAX)
            continue;
        if (!first)
            json_put(out, ",", 1);
        first = false;
        put_text(rows->ctx, out, rows->columns[i].name);
        json_put(out, ":", 1);
        if (cells[sources[i]] != NULL)
            put_cell(rows->ctx, out, rows->columns[sources[i]].type, cells[sources[i]]);
        else
            json_put(out, "null", 4);
    }
    json_put(out, "}", 1);
}

static void put_rows(struct json_output *out, const edge_rows *rows)
{
    const size_t *sources = column_sources(rows);
    json_put(out, "[", 1);
    for (size_t row = 0; row < rows->row_count; row++) {
        if (row > 0)
            json_put(out, ",", 1);
        put_row(out, rows, (const char *const *)rows->cells + row * rows->column_count, sources);
    }
    json_put(out, "]", 1);
}

static const char *finished_text(edge_ctx *ctx, struct json_output *out, size_t *length)
{
    const char *text = json_output_text(out, length);
    if (text == NULL)
        edge_fail(ctx, 503, "overloaded", "The host is out of memory");
    return text;
}

const char *edge_rows_json_text(const edge_rows *rows, size_t *length)
{
    struct json_output *out = json_output_shared();
    put_rows(out, rows);
    size_t size = 0;
    const char *text = finished_text(rows->ctx, out, &size);
    if (length != NULL)
        *length = size;
    return edge_copy_bytes(rows->ctx, text, size);
}

static void put_members(struct json_output *out, json_t *with)
{
    const char *name;
    json_t *member;
    json_object_foreach(with, name, member)
    {
        json_put_string(out, name, strlen(name));
        json_put(out, ":", 1);
        json_put_value(out, member);
        json_put(out, ",", 1);
    }
}

void edge_respond_rows_as(edge_ctx *ctx, const edge_rows *rows, const edge_rows_answer *answer)
{
    struct json_output *out = json_output_shared();
    if (answer->key != NULL) {
        json_put(out, "{", 1);
        put_members(out, answer->with);
        put_text(ctx, out, answer->key);
        json_put(out, ":", 1);
    }
    put_rows(out, rows);
    if (answer->key != NULL)
        json_put(out, "}", 1);

    size_t length = 0;
    const char *text = finished_text(ctx, out, &length);
    edge_respond_bytes(ctx, "application/json", text, length);
}
