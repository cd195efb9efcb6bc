/*
 * A row of arguments in COPY's text format (PostgreSQL 15 manual, COPY, "Text Format"): columns between tabs,
 * \N for NULL, and a backslash in front of what would be read as something else.
 */
#include "db/copy.h"

#include "base/json_dump.h"
#include "db/literal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool put_escaped(struct buffer *row, const char *text, size_t length)
{
    static const char special[] = "\\\n\r\t\b\f\v", letters[] = "\\nrtbfv";
    size_t plain = 0;
    for (size_t i = 0; i < length; i++) {
        const char *found = memchr(special, text[i], sizeof special - 1);
        if (found == NULL)
            continue;
        char escape[2] = { '\\', letters[found - special] };
        if (!buffer_put(row, text + plain, i - plain) || !buffer_put(row, escape, 2))
            return false;
        plain = i + 1;
    }
    return buffer_put(row, text + plain, length - plain);
}

static bool put_text(struct buffer *row, const char *text)
{
    return text != NULL ? put_escaped(row, text, strlen(text)) : buffer_put(row, "\\N", 2);
}

/* Nothing waits between making the text and copying it, so the shared buffer will do. */
static bool put_json(struct buffer *row, const json_t *value)
{
    size_t length = 0;
    const char *text = value != NULL ? json_dump_shared(value, &length) : NULL;
    if (value == NULL)
        return put_text(row, NULL);
    return text != NULL && put_escaped(row, text, length);
}

/* bytea in hex, whose backslash is COPY's too. */
static bool put_bytes(struct buffer *row, const edge_arg *arg)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *bytes = arg->data;
    if (bytes == NULL)
        return put_text(row, NULL);
    char *out = buffer_room(row, 3 + 2 * arg->length);
    if (out == NULL)
        return false;
    out = mempcpy(out, "\\\\x", 3);
    for (size_t i = 0; i < arg->length; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    row->length += 3 + 2 * arg->length;
    return true;
}

static bool put_array(struct buffer *row, const edge_arg *arg)
{
    if (array_is_null(arg))
        return put_text(row, NULL);
    char *literal = malloc(array_literal_size(arg));
    if (literal == NULL)
        return false;
    array_literal(arg, literal);
    bool fine = put_text(row, literal);
    free(literal);
    return fine;
}

static bool put_value(struct buffer *row, const edge_arg *arg)
{
    char text[TIME_LITERAL_SIZE];
    switch (arg->type) {
    case EDGE_ARG_INT:
        snprintf(text, sizeof text, "%" PRId64, arg->integer);
        return put_text(row, text);
    case EDGE_ARG_NUMBER:
        number_literal(arg->number, text);
        return put_text(row, text);
    case EDGE_ARG_BOOL:
        return put_text(row, arg->integer != 0 ? "t" : "f");
    case EDGE_ARG_TIME:
        time_literal(arg->integer, text);
        return put_text(row, text);
    case EDGE_ARG_JSON:
        return put_json(row, arg->data);
    case EDGE_ARG_BYTES:
        return put_bytes(row, arg);
    default:
        return is_array(arg) ? put_array(row, arg) : put_text(row, arg->data);
    }
}

void edge_copy_row_args(edge_copier *copy, const edge_arg *args, size_t count)
{
    copy_check(copy, false);
    bool fine = true;
    for (size_t i = 0; i < count && fine; i++)
        fine = (i == 0 || buffer_put(&copy->piece, "\t", 1)) && put_value(&copy->piece, &args[i]);
    if (!fine || !buffer_put(&copy->piece, "\n", 1))
        edge_fail(copy->tx->ctx, 503, "overloaded", "The host is out of memory");
    if (copy->piece.length >= COPY_PIECE_BYTES)
        copy_do(copy, copy_send_piece);
}
