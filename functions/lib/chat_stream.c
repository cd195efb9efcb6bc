/*
 * Chat answers as OpenAI chunks. One chunk is built and changed from piece to piece, so that a long answer does
 * not fill the invocation's memory with envelopes.
 */
#include "lib/chat_stream.h"

struct chat_stream chat_stream_of(edge_ctx *ctx, json_t *in)
{
    return (struct chat_stream){ .ctx = ctx, .wanted = edge_request_wants_stream(ctx, in) };
}

static void send(struct chat_stream *stream)
{
    edge_stream_event(stream->ctx, NULL, stream->chunk);
}

static void begin(struct chat_stream *stream, const char *model)
{
    stream->delta = json_pack("{s:s}", "role", "assistant");
    stream->choice = json_pack("{s:i, s:O, s:n}", "index", 0, "delta", stream->delta, "finish_reason");
    stream->chunk = json_pack("{s:s, s:s, s:I, s:s, s:[O]}", "id",
        edge_format(stream->ctx, "chatcmpl-%s", edge_request_id(stream->ctx)), "object",
        "chat.completion.chunk", "created", (json_int_t)(edge_now(stream->ctx) / 1000000), "model", model,
        "choices", stream->choice);
    send(stream);
    json_object_clear(stream->delta);
}

void chat_stream_text(struct chat_stream *stream, const char *model, const char *text)
{
    if (!stream->wanted)
        return;
    if (stream->chunk == NULL)
        begin(stream, model);
    json_object_set_new(stream->delta, "content", json_string(text));
    send(stream);
}

const struct gateway_answer *chat_stream_relay(struct chat_stream *stream, struct gateway_call *call)
{
    const char *text;
    while (!chat_stream_abandoned(stream) && (text = gateway_next(call)) != NULL)
        chat_stream_text(stream, gateway_model(call), text);
    return gateway_answer(call);
}

void chat_stream_tool(struct chat_stream *stream, const json_t *event)
{
    if (stream->wanted)
        edge_stream_event(stream->ctx, "tool", event);
}

bool chat_stream_abandoned(const struct chat_stream *stream)
{
    return stream->wanted && edge_client_gone(stream->ctx);
}

json_t *chat_stream_end(struct chat_stream *stream, json_t *body)
{
    if (!stream->wanted)
        return body;
    if (stream->chunk != NULL) {
        json_object_clear(stream->delta);
        json_object_set_new(stream->choice, "finish_reason", json_string("stop"));
        send(stream);
    }
    edge_stream_event(stream->ctx, "final", body);
    return NULL;
}
