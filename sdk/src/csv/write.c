/*
 * Writing CSV: records are collected and go out in pieces.
 */
#include "base/json_dump.h"
#include "base/response.h"

#include <context.h>

#include <edge/csv.h>
#include <edge/stream.h>

#include <csv.h>
#include <openssl/evp.h>

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    PIECE_BYTES = 16 * 1024,
    TEXT_PIECE_BYTES = 256,
};

struct edge_csv_writer {
    edge_csv_write_options options;
    char *copy; /* of a JSON value's text */
    size_t copy_size, used;
    char piece[PIECE_BYTES];
};

static void flush(edge_ctx *ctx, struct edge_csv_writer *csv)
{
    size_t used = csv->used;
    csv->used = 0;
    if (used == 0)
        return;
    if (csv->options.write != NULL)
        csv->options.write(ctx, csv->options.arg, csv->piece, used);
    else
        edge_stream_bytes(ctx, csv->piece, used);
}

static void put(edge_ctx *ctx, struct edge_csv_writer *csv, const char *data, size_t length)
{
    while (length > 0) {
        size_t room = PIECE_BYTES - csv->used, now = length < room ? length : room;
        memcpy(csv->piece + csv->used, data, now);
        csv->used += now;
        data += now;
        length -= now;
        if (csv->used == PIECE_BYTES)
            flush(ctx, csv);
    }
}

edge_csv_writer *edge_csv_begin_with(edge_ctx *ctx, const edge_csv_write_options *options)
{
    struct edge_csv_writer *csv = edge_alloc(ctx, sizeof *csv);
    csv->options = *options;
    if (options->separator == 0)
        csv->options.separator = ',';
    if (strchr(",;\t", csv->options.separator) == NULL)
        edge_fail(ctx, 500, "internal_error", "The CSV separator must be a comma, a semicolon or a tab");
    if (options->write == NULL) {
        if (options->download_name != NULL)
            edge_response_header(ctx, "content-disposition", response_disposition(ctx, options->download_name));
        edge_stream_begin(ctx, 200, "text/csv; charset=utf-8");
    }
    if (options->byte_order_mark)
        put(ctx, csv, "\xef\xbb\xbf", 3);
    return csv;
}

/* csv_write2 puts quotes around, which here are around all pieces, and doubles those within. */
static void put_escaped(edge_ctx *ctx, struct edge_csv_writer *csv, const char *text, size_t length)
{
    char quoted[2 * TEXT_PIECE_BYTES + 2];
    while (length > 0) {
        size_t now = length < TEXT_PIECE_BYTES ? length : TEXT_PIECE_BYTES;
        size_t size = csv_write2(quoted, sizeof quoted, text, now, '"');
        put(ctx, csv, quoted + 1, size - 2);
        text += now;
        length -= now;
    }
}

static bool needs_quotes(const struct edge_csv_writer *csv, const char *text, size_t length)
{
    const char special[] = { '"', '\r', '\n', csv->options.separator, '\0' };
    return length == 0 || text[0] == ' ' || text[length - 1] == ' ' || strcspn(text, special) < length;
}

static void put_text(edge_ctx *ctx, struct edge_csv_writer *csv, const char *text, size_t length)
{
    bool formula = csv->options.guard_formulas && length > 0 && strchr("=+-@\t\r", text[0]) != NULL;
    if (!formula && !needs_quotes(csv, text, length)) {
        put(ctx, csv, text, length);
        return;
    }
    put(ctx, csv, formula ? "\"'" : "\"", formula ? 2 : 1);
    put_escaped(ctx, csv, text, length);
    put(ctx, csv, "\"", 1);
}

static void put_texts(edge_ctx *ctx, struct edge_csv_writer *csv, const edge_arg *arg)
{
    const char *const *items = arg->data;
    put(ctx, csv, "\"", 1);
    for (size_t i = 0; i < arg->length; i++) {
        if (i > 0)
            put(ctx, csv, "|", 1);
        if (items[i] != NULL)
            put_escaped(ctx, csv, items[i], strlen(items[i]));
    }
    put(ctx, csv, "\"", 1);
}

/* The worker's one buffer lasts until the next wait; the writer's copy is used again for every value. */
static void put_json(edge_ctx *ctx, struct edge_csv_writer *csv, const json_t *value)
{
    size_t length = 0;
    const char *text = json_dump_shared(value, &length);
    if (text == NULL)
        edge_fail(ctx, 503, "overloaded", "The host is out of memory");
    if (length > csv->copy_size) {
        csv->copy = edge_alloc(ctx, 2 * length);
        csv->copy_size = 2 * length;
    }
    memcpy(csv->copy, text, length);
    if (json_is_number(value))
        put(ctx, csv, csv->copy, length);
    else
        put_text(ctx, csv, csv->copy, length);
}

/* The shortest decimal that reads back as the same number, as JSON has it. */
static void put_number(edge_ctx *ctx, struct edge_csv_writer *csv, double number)
{
    json_t *value = isfinite(number) ? json_real(number) : NULL;
    if (value != NULL)
        put_json(ctx, csv, value);
    json_decref(value);
}

static void put_time(edge_ctx *ctx, struct edge_csv_writer *csv, int64_t microseconds)
{
    char text[40];
    time_t seconds = (time_t)((microseconds - (microseconds % 1000000 + 1000000) % 1000000) / 1000000);
    int milliseconds = (int)((microseconds - (int64_t)seconds * 1000000) / 1000);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    size_t length = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    length += (size_t)snprintf(text + length, sizeof text - length, ".%03dZ", milliseconds);
    put(ctx, csv, text, length);
}

static void put_bytes(edge_ctx *ctx, struct edge_csv_writer *csv, const uint8_t *data, size_t length)
{
    uint8_t base64[65];
    while (length > 0) {
        size_t now = length < 48 ? length : 48;
        put(ctx, csv, (char *)base64, (size_t)EVP_EncodeBlock(base64, data, (int)now));
        data += now;
        length -= now;
    }
}

static void put_ints(edge_ctx *ctx, struct edge_csv_writer *csv, const int64_t *items, size_t count)
{
    char digits[24];
    for (size_t i = 0; i < count; i++) {
        int length = snprintf(digits, sizeof digits, i > 0 ? "|%lld" : "%lld", (long long)items[i]);
        put(ctx, csv, digits, (size_t)length);
    }
}

static void put_field(edge_ctx *ctx, struct edge_csv_writer *csv, const edge_arg *arg)
{
    switch (arg->type) {
    case EDGE_ARG_NULL:
        return;
    case EDGE_ARG_INT:
        put_ints(ctx, csv, &arg->integer, 1);
        return;
    case EDGE_ARG_NUMBER:
        put_number(ctx, csv, arg->number);
        return;
    case EDGE_ARG_BOOL:
        put(ctx, csv, arg->integer != 0 ? "true" : "false", arg->integer != 0 ? 4 : 5);
        return;
    case EDGE_ARG_TIME:
        put_time(ctx, csv, arg->integer);
        return;
    case EDGE_ARG_TEXT:
    case EDGE_ARG_UUID:
    case EDGE_ARG_DECIMAL:
    case EDGE_ARG_DATE:
        if (arg->data != NULL)
            put_text(ctx, csv, arg->data, strlen(arg->data));
        return;
    case EDGE_ARG_JSON:
        if (arg->data != NULL)
            put_json(ctx, csv, arg->data);
        return;
    case EDGE_ARG_BYTES:
        if (arg->data != NULL)
            put_bytes(ctx, csv, arg->data, arg->length);
        return;
    case EDGE_ARG_TEXTS:
    case EDGE_ARG_UUIDS:
    case EDGE_ARG_DECIMALS:
        if (arg->data != NULL)
            put_texts(ctx, csv, arg);
        return;
    case EDGE_ARG_INTS:
        if (arg->data != NULL)
            put_ints(ctx, csv, arg->data, arg->length);
    }
}

void edge_csv_write_args(edge_ctx *ctx, edge_csv_writer *csv, const edge_arg *args, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            put(ctx, csv, &csv->options.separator, 1);
        put_field(ctx, csv, &args[i]);
    }
    put(ctx, csv, "\r\n", 2);
}

void edge_csv_end(edge_ctx *ctx, edge_csv_writer *csv)
{
    flush(ctx, csv);
}
