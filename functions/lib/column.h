/*
 * Values of columns: which JSON a column takes (spec data.md D4), and how it is bound. The name of a type or
 * a column in SQL is always the catalogue's; the value is always a parameter.
 */
#ifndef LIB_COLUMN_H
#define LIB_COLUMN_H

#include "lib/entity_catalogue.h"

/* A value to be bound: its parameter, and what stands around it. */
struct column_value {
    edge_arg arg;
    const char *before, *after; /* as "" and "::date" */
};

enum column_use {
    COLUMN_TO_WRITE,
    COLUMN_TO_COMPARE, /* stored values may be older than today's rules: only the type has to fit */
};

/*
 * Checks value and fills *bound. NULL when it fits, else what is wrong, as "must be a number"; null is
 * refused where the column or the use wants a value.
 */
const char *column_value(edge_ctx *ctx, const struct entity_column *column, const json_t *value,
    enum column_use use, struct column_value *bound);

/* Checks every item of an array; *bound is one array parameter, for = ANY. Not for text[] and jsonb. */
const char *column_values(
    edge_ctx *ctx, const struct entity_column *column, const json_t *items, struct column_value *bound);

/* What kind of column it is, for rules that hold for several types. */
bool column_is_text(const struct entity_column *column);
bool column_is_json(const struct entity_column *column);
bool column_is_number(const struct entity_column *column);

/* Code points that a text column takes. */
size_t column_text_max(const struct entity_column *column);

/* Bytes that a jsonb column takes, serialised. */
size_t column_json_max(const struct entity_column *column);

/* "#" and six digits in upper case; false when text is no colour. */
bool column_colour(const char *text, char out[8]);

/* The value of an enumeration as it is stored; NULL when it is none. */
const char *column_enum(const struct entity_column *column, const char *text);

/* True when text is 8-4-4-4-12 hexadecimal digits. */
bool column_uuid(const char *text);

#endif
