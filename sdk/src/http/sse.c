/*
 * Server-sent events, line by line; see sse.h.
 */
#include "sse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_TEXT_BYTES = 256
};

void sse_init(struct sse_parser *parser, size_t max_bytes)
{
    *parser = (struct sse_parser){ .max_bytes = max_bytes };
}

/* The event that was handed out has been read. */
static void forget_given(struct sse_parser *parser)
{
    if (!parser->given)
        return;
    parser->given = false;
    parser->data.length = parser->type.length = 0;
}

void sse_free(struct sse_parser *parser)
{
    free(parser->line.text);
    free(parser->data.text);
    free(parser->type.text);
    free(parser->id.text);
    sse_init(parser, parser->max_bytes);
}

static void text_rest(struct sse_text *text)
{
    if (text->length > 0)
        return;
    free(text->text);
    *text = (struct sse_text){ 0 };
}

void sse_rest(struct sse_parser *parser)
{
    forget_given(parser);
    text_rest(&parser->line);
    text_rest(&parser->data);
    text_rest(&parser->type);
    text_rest(&parser->id);
}

/* Appends and keeps the text NUL-terminated. */
static int text_append(struct sse_text *text, const char *bytes, size_t length)
{
    if (text->length + length + 1 > text->size) {
        size_t size = text->size == 0 ? FIRST_TEXT_BYTES : text->size;
        while (size < text->length + length + 1)
            size *= 2;
        char *grown = realloc(text->text, size);
        if (grown == NULL)
            return -ENOMEM;
        text->text = grown;
        text->size = size;
    }
    if (length > 0)
        memcpy(text->text + text->length, bytes, length);
    text->length += length;
    text->text[text->length] = '\0';
    return 0;
}

static int text_set(struct sse_text *text, const char *bytes, size_t length)
{
    text->length = 0;
    return text_append(text, bytes, length);
}

static const char *text_or(const struct sse_text *text, const char *fallback)
{
    return text->length > 0 ? text->text : fallback;
}

static bool too_large(const struct sse_parser *parser, size_t more)
{
    return parser->line.length + parser->data.length + more > parser->max_bytes;
}

static bool is_field(const char *name, size_t length, const char *wanted)
{
    return length == strlen(wanted) && memcmp(name, wanted, length) == 0;
}

static int take_field(
    struct sse_parser *parser, const char *name, size_t name_length, const char *value, size_t length)
{
    if (is_field(name, name_length, "data")) {
        int rc = text_append(&parser->data, value, length);
        return rc < 0 ? rc : text_append(&parser->data, "\n", 1);
    }
    if (is_field(name, name_length, "event"))
        return text_set(&parser->type, value, length);
    if (is_field(name, name_length, "id") && memchr(value, '\0', length) == NULL)
        return text_set(&parser->id, value, length);
    return 0; /* "retry" is for who reconnects, and other names are to be ignored */
}

/* The empty line: an event when there was a data line, else nothing but an end to its type. */
static int dispatch(struct sse_parser *parser)
{
    if (parser->data.length == 0) {
        parser->type.length = 0;
        return 0;
    }
    parser->data.text[--parser->data.length] = '\0';
    parser->event = (edge_event){
        .event = text_or(&parser->type, "message"),
        .data = parser->data.text,
        .id = text_or(&parser->id, ""),
    };
    parser->given = true;
    return 1;
}

static int take_line(struct sse_parser *parser, const char *line, size_t length)
{
    if (!parser->begun) {
        parser->begun = true;
        if (length >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
            line += 3;
            length -= 3;
        }
    }
    if (length == 0)
        return dispatch(parser);
    if (line[0] == ':')
        return 0;

    const char *colon = memchr(line, ':', length);
    if (colon == NULL)
        return take_field(parser, line, length, "", 0);
    size_t name_length = (size_t)(colon - line), at = name_length + 1;
    if (at < length && line[at] == ' ')
        at++;
    return take_field(parser, line, name_length, line + at, length - at);
}

/* A line that ends in this piece; its beginning may have come in pieces before. */
static int end_line(struct sse_parser *parser, const char *bytes, size_t length)
{
    if (too_large(parser, length))
        return -EMSGSIZE;
    if (parser->line.length == 0)
        return take_line(parser, bytes, length);

    int rc = text_append(&parser->line, bytes, length);
    if (rc < 0)
        return rc;
    length = parser->line.length;
    parser->line.length = 0;
    return take_line(parser, parser->line.text, length);
}

static size_t until_line_end(const char *bytes, size_t length)
{
    size_t at = 0;
    while (at < length && bytes[at] != '\r' && bytes[at] != '\n')
        at++;
    return at;
}

int sse_feed(struct sse_parser *parser, const char *bytes, size_t length, size_t *used)
{
    forget_given(parser);

    size_t at = 0;
    int rc = 0;
    while (at < length && rc == 0) {
        if (parser->after_cr && bytes[at] == '\n') {
            parser->after_cr = false;
            at++;
            continue;
        }
        parser->after_cr = false;

        size_t line = until_line_end(bytes + at, length - at), end = at + line;
        if (end < length) {
            parser->after_cr = bytes[end] == '\r';
            rc = end_line(parser, bytes + at, line);
            at = end + 1;
        } else {
            rc = too_large(parser, line) ? -EMSGSIZE : text_append(&parser->line, bytes + at, line);
            at = end;
        }
    }
    *used = at;
    return rc;
}
