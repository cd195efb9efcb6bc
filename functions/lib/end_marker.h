/*
 * The marker [[END]] by which the simulated client of a role play ends the conversation: kept from those who
 * read along.
 */
#ifndef LIB_END_MARKER_H
#define LIB_END_MARKER_H

#include <edge/edge.h>

/* Start with { .ctx = ctx }. */
struct end_marker {
    edge_ctx *ctx;
    const char *held; /* text that may be the beginning of a marker; NULL: none */
};

/* What may be shown of the text so far, "" when all of it may be the beginning of a marker. */
EDGE_RETURNS_NONNULL const char *end_marker_pass(struct end_marker *marker, const char *text);

/* What is still held when no more text comes: it was no marker. */
EDGE_RETURNS_NONNULL const char *end_marker_rest(struct end_marker *marker);

/* The text without its markers; *found tells whether there was one. */
EDGE_RETURNS_NONNULL const char *end_marker_remove(edge_ctx *ctx, const char *text, bool *found);

#endif
