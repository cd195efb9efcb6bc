/*
 * Chat answers as OpenAI chunks. Each is built for its piece and gone behind it: a model thinks longer than it
 * speaks, and what thousands of waiting turns hold counts for more than an envelope.
 */
#include "lib/chat_stream.h"

struct chat_stream chat_stream_of(edge_ctx *ctx, json_t *in)
{
    return (struct chat_stream){ .ctx = ctx, .wanted = edge_request_wants_stream(ctx, in) };
}

/* Steals delta; finish_reason is NULL until the last one. */
static void send(struct chat_stream *stream, json_t *delta, const char *finish_reason)
{
    json_t *chunk = json_pack("{s:s, s:s, s:I, s:s, s:[{s:i, s:o, s:s?}]}", "id", stream->id, "object",
        "chat.completion.chunk", "created", (json_int_t)stream->created, "model", stream->model, "choices",
        "index", 0, "delta", delta, "finish_reason", finish_reason);
    edge_stream_event(stream->ctx, NULL, chunk);
    json_decref(chunk);
}

static void begin(struct chat_stream *stream, const char *model)
{
    stream->id = edge_format(stream->ctx, "chatcmpl-%s", edge_request_id(stream->ctx));
    stream->created = edge_now(stream->ctx) / 1000000;
    stream->model = model;
    send(stream, json_pack("{s:s}", "role", "assistant"), NULL);
}

void chat_stream_text(struct chat_stream *stream, const char *model, const char *text)
{
    if (!stream->wanted)
        return;
    if (stream->id == NULL)
        begin(stream, model);
    send(stream, json_pack("{s:s}", "content", text), NULL);
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
    if (stream->id != NULL)
        send(stream, json_object(), "stop");
    edge_stream_event(stream->ctx, "final", body);
    return NULL;
}
