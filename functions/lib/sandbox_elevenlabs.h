/*
 * What the parts of ElevenLabs' stand-in share. Each group of endpoints is a file of its own, with a table of
 * its endpoints that sandbox/sandbox_elevenlabs.c goes through.
 */
#ifndef LIB_SANDBOX_ELEVENLABS_H
#define LIB_SANDBOX_ELEVENLABS_H

#include <edge/edge.h>

/* One endpoint: {x} in the path stands for one segment, which is handed over. Tables end with { 0 }. */
struct sandbox_elevenlabs_endpoint {
    const char *method, *path;
    json_t *(*answer)(edge_ctx *ctx, json_t *order, const char *segment);
};

/*
 * Errors as ElevenLabs words them (https://elevenlabs.io/docs/eleven-api/resources/errors):
 * {"detail":{"status","message"}}.
 */
EDGE_RETURNS_NONNULL json_t *sandbox_elevenlabs_refuse(
    edge_ctx *ctx, int status, const char *code, const char *message);

/* 422: {"detail":[{"type","loc":["body",field],"msg"}]}. */
EDGE_RETURNS_NONNULL json_t *sandbox_elevenlabs_invalid(edge_ctx *ctx, const char *field, const char *message);

/* The endpoints of each file. */
extern const struct sandbox_elevenlabs_endpoint sandbox_elevenlabs_calls[];
extern const struct sandbox_elevenlabs_endpoint sandbox_elevenlabs_speech[];

#endif
