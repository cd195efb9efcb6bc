/*
 * Validation of input and answers, between its files.
 */
#ifndef BASE_VALIDATE_H
#define BASE_VALIDATE_H

#include <context.h>

/* Where in the body a value stands; printed as items[2].price. */
struct input_path {
    const struct input_path *parent;
    const char *name; /* NULL: index */
    size_t index;
};

const char *input_path_text(edge_ctx *ctx, const struct input_path *path);

/* Ends the invocation with 400, naming the path. */
EDGE_NORETURN EDGE_PRINTF(3, 4) void input_fail(
    edge_ctx *ctx, const struct input_path *path, const char *format, ...);

/* As input_fail, for what is no field of a body. */
EDGE_NORETURN EDGE_PRINTF(2, 3) void input_refuse(edge_ctx *ctx, const char *format, ...);

/* "invalid_input", or what the function's group calls it. */
const char *input_code(const edge_ctx *ctx);

/* Refuses U+0000 in any string of a value, however deep. */
void input_check_nul(edge_ctx *ctx, const struct input_path *path, const json_t *value);

/* The value without white space at its ends, when it is a string and the function wants it so. */
json_t *input_trim(edge_ctx *ctx, json_t *value);

/* The text of a string without U+0000; anything else is refused. */
const char *input_text(edge_ctx *ctx, const struct input_path *path, const json_t *value);

/* Whether a text begins as a pattern says: d is a digit, x a hexadecimal one, everything else itself. */
bool input_matches(const char *text, const char *pattern);

bool input_is_day(const char *text);      /* YYYY-MM-DD, a real day */
bool input_is_datetime(const char *text); /* ISO 8601 with a time */

/* Values of the types EDGE_DAY and EDGE_CLOCK. */
json_t *input_check_day(edge_ctx *ctx, const struct input_path *path, json_t *value);
json_t *input_check_clock(edge_ctx *ctx, const struct input_path *path, json_t *value);

/* Checks one present value; returns it, or what takes its place (a UUID in lower case). */
json_t *input_check(edge_ctx *ctx, const edge_field *field, const struct input_path *path, json_t *value);

/* Checks an object's members in the table's order and fills in fallbacks. */
void input_check_object(edge_ctx *ctx, const edge_field *fields, const struct input_path *path, json_t *object);

#endif
