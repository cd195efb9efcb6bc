/*
 * Input fields whose rules a table cannot say: for .check of a function (edge/function.h).
 */
#ifndef LIB_FIELD_H
#define LIB_FIELD_H

#include <edge/edge.h>

/* Ends the invocation with 400 "invalid_input" naming the field; the message is its path and what is wrong with
 * it. */
EDGE_NORETURN EDGE_PRINTF(3, 4) void field_fail(edge_ctx *ctx, const char *path, const char *format, ...);

bool field_is(const edge_field *field, const char *name);

/* A string without the white space at its ends. */
json_t *field_trimmed(edge_ctx *ctx, json_t *value);

/* A string of at most field->max code points, white space at its ends counted: the table leaves that out. */
json_t *field_untrimmed(edge_ctx *ctx, const edge_field *field, json_t *value);

/* Refuses control characters: U+0000 to U+001F and U+007F. */
void field_refuse_controls(edge_ctx *ctx, const char *path, const char *text);

/* A string of some of these characters, of at most max. */
void field_check_characters(
    edge_ctx *ctx, const char *path, const char *text, const char *allowed, size_t max, const char *what);

#define FIELD_DIGITS "0123456789"
#define FIELD_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

#endif
