/*
 * Text that grows piece by piece, in the invocation's memory, and the questions asked of texts by code point.
 */
#ifndef LIB_TEXT_H
#define LIB_TEXT_H

#include <edge/edge.h>

/* Start with { .ctx = ctx }; data is NUL-terminated once something was added, NULL before. */
struct text {
    edge_ctx *ctx;
    char *data;
    size_t length, capacity;
};

void text_add(struct text *text, const char *more);
void text_add_bytes(struct text *text, const char *more, size_t length);
EDGE_PRINTF(2, 3) void text_add_format(struct text *text, const char *format, ...);

/* Begins anew in the memory that is there: what was read of it is overwritten. */
void text_clear(struct text *text);

/* The text so far, "" when nothing was added. */
const char *text_value(const struct text *text);

/* The first max code points of a UTF-8 text: itself when it has no more, else a copy. */
const char *text_cut(edge_ctx *ctx, const char *text, size_t max);

/* How many code points a UTF-8 text has. */
size_t text_characters(const char *text);

/* A copy without white space at its ends. */
EDGE_RETURNS_NONNULL const char *text_trim(edge_ctx *ctx, const char *text);

/* How many code points a UTF-8 text has. */
size_t text_characters(const char *text);

/* True when both texts are the same but for white space at their ends. */
bool text_same_trimmed(const char *a, const char *b);

#endif
