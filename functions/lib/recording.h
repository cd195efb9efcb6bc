/*
 * A recording that a client sends to be transcribed (spec ai.md, whisperSTT).
 */
#ifndef LIB_RECORDING_H
#define LIB_RECORDING_H

#include <edge/edge.h>

struct recording {
    const void *data;
    size_t length;
    const char *media_type, *filename, *language;
};

/*
 * Reads it from a JSON body, or from the request's bytes with the language in its query. Ends the invocation
 * with 415 "unsupported_media_type", 400 "invalid_input" or 413 "audio_too_large".
 */
struct recording recording_of_json(edge_ctx *ctx, json_t *in);
struct recording recording_of_body(edge_ctx *ctx);

#endif
