/*
 * Hashtags as models write them, and as platforms take them.
 */
#ifndef LIB_HASHTAGS_H
#define LIB_HASHTAGS_H

#include <edge/edge.h>

/*
 * An array of "#tag": of each text everything but letters, digits and "_" is removed; what is empty then, is no
 * text, or has been there before (in any case) is dropped; at most 30.
 */
EDGE_RETURNS_NONNULL json_t *hashtags_clean(edge_ctx *ctx, json_t *tags);

/* Whether the text has the hashtag already, in any case, and not as the beginning of a longer one. */
bool hashtags_in_text(const char *text, const char *tag);

#endif
