/*
 * Answers in pieces. The host frames and queues; here a function is held back while its reader is slow.
 */
#include "base/json_dump.h"

#include <context.h>

#include <edge/json.h>
#include <edge/stream.h>

#include <stdio.h>
#include <string.h>

/* Parks while more than the high-water mark is queued for this client, until the low-water mark. */
static void hold_back(edge_ctx *ctx, size_t queued)
{
    if (queued > STREAM_HIGH_WATER)
        context_await_writable(ctx);
}

static void start(edge_ctx *ctx, int status, const char *media_type)
{
    ctx->response.streaming = true;
    ctx->ops->begin(ctx, status, media_type, -1);
}

void edge_stream_event(edge_ctx *ctx, const char *event, const json_t *data)
{
    if (!ctx->response.streaming)
        start(ctx, 200, "text/event-stream");
    if (ctx->client_gone && !ctx->cancelled)
        return;
    size_t length = 0;
    const char *text = json_dump_shared(data, &length);
    if (text == NULL)
        edge_fail(ctx, 503, "overloaded", "The host is out of memory");
    hold_back(ctx, ctx->ops->event(ctx, event, text, length));
}

void edge_stream_begin(edge_ctx *ctx, int status, const char *media_type)
{
    if (ctx->response.streaming || ctx->response.sent)
        edge_fail(ctx, 500, "internal_error", "The answer has already been started");
    start(ctx, status, media_type);
}

void edge_stream_bytes(edge_ctx *ctx, const void *data, size_t length)
{
    if (!ctx->response.streaming)
        edge_stream_begin(ctx, 200, "application/octet-stream");
    if (!ctx->client_gone)
        hold_back(ctx, ctx->ops->write(ctx, data, length));
}

bool edge_stream_started(edge_ctx *ctx)
{
    return ctx->response.streaming;
}

bool edge_client_gone(edge_ctx *ctx)
{
    return ctx->client_gone;
}

void edge_stream_abort(edge_ctx *ctx)
{
    ctx->ops->abort(ctx);
    context_fail_detail(ctx, 499, "aborted", "The function broke the connection off", NULL);
}
