/*
 * A chat answer on its way to the client (spec ai.md S7): token by token when the client wants a stream, over
 * server-sent events or a WebSocket alike, or as one JSON body.
 */
#ifndef LIB_CHAT_STREAM_H
#define LIB_CHAT_STREAM_H

#include <edge/edge.h>

#include "lib/gateway.h"

struct chat_stream {
    edge_ctx *ctx;
    bool wanted;
    const char *id, *model; /* of its chunks; NULL until the first one */
    int64_t created;        /* Unix seconds */
};

/* A stream, or not, as the request says. Nothing is sent before the first piece of text. */
struct chat_stream chat_stream_of(edge_ctx *ctx, json_t *in);

/* Sends a piece of the answer's text; parks while the reader is slow. Does nothing when no stream is wanted. */
void chat_stream_text(struct chat_stream *stream, const char *model, const char *text);

/* Passes a gateway's answer on as it arrives; stops when there is nobody left to read it. */
EDGE_RETURNS_NONNULL const struct gateway_answer *chat_stream_relay(
    struct chat_stream *stream, struct gateway_call *call);

/* Sends an event "tool": one has started or ended. Does nothing when no stream is wanted. */
void chat_stream_tool(struct chat_stream *stream, const json_t *event);

/* True once there is nobody to stream to any more. */
bool chat_stream_abandoned(const struct chat_stream *stream);

/* Ends the answer with its body, as the last event of a stream or as the value a handler returns; return this.
 */
json_t *chat_stream_end(struct chat_stream *stream, json_t *body);

#endif
