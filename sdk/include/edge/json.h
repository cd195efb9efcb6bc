/*
 * Reading JSON without ceremony. jansson is the library (its values are the invocation's, never freed);
 * these are the few calls that functions would otherwise write again and again.
 */
#ifndef EDGE_JSON_H
#define EDGE_JSON_H

#include <edge/base.h>

#pragma GCC visibility push(default)

/* Member of an object as text, NULL when it is absent, null or no string. The pointer is borrowed. */
const char *edge_json_text(const json_t *object, const char *key);

/* Member as a number, or fallback when it is absent or no number. */
int64_t edge_json_int(const json_t *object, const char *key, int64_t fallback);
double edge_json_number(const json_t *object, const char *key, double fallback);

/* Member as a truth value, or fallback when it is absent or neither true nor false. */
bool edge_json_bool(const json_t *object, const char *key, bool fallback);

/* Follows a path of keys ("intelligence.scores.pulse"); NULL as soon as one is missing. Borrowed. */
json_t *edge_json_path(const json_t *value, const char *path);

/* Parses text; NULL when it is not JSON or nests deeper than 128 levels. */
json_t *edge_json_parse(edge_ctx *ctx, const char *text, size_t length);

/* Compact text of a value, NUL-terminated; length may be NULL. Whole reals have no fraction, as in JavaScript.
 */
EDGE_RETURNS_NONNULL char *edge_json_dump(edge_ctx *ctx, const json_t *value, size_t *length);

/* Whether text is an e-mail address as EDGE_EMAIL takes it: for bodies that no input table describes. */
bool edge_is_email(const char *text);

#pragma GCC visibility pop

#endif
