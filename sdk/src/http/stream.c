/*
 * Reading an answer piece by piece, event by event, or the rest of it at once.
 *
 * libcurl fills one buffer while the fiber reads the other; a reader that is slower than the provider lets the
 * first one fill up, which pauses libcurl, which fills the socket's buffers, which stops the provider.
 */
#include "call.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEPT_BYTES = 8 * 1024,
    TRIMS_MAX = 3,
    EVENT_MAX_BYTES = 1024 * 1024
};

static void resume(void *arg)
{
    call_resume(arg);
}

static void abandon(void *arg)
{
    call_abandon(arg);
}

/* The piece that was read becomes the buffer to fill; one that has grown is given back. */
static void swap_buffers(struct http_call *call)
{
    struct call_bytes read = call->reading;
    call->reading = call->filling;
    call->filling = read;
    call->filling.length = 0;
    if (call->filling.size > KEPT_BYTES) {
        free(call->filling.data);
        call->filling = (struct call_bytes){ 0 };
    }
}

/*
 * A provider that writes as it thinks leaves its readers waiting most of the time, thousands of them: what was
 * read, and what it took to read it, is given back for as long. The head and the first piece need more stack
 * than the pieces that follow.
 */
static void wait_lean(struct http_call *call)
{
    free(call->reading.data);
    call->reading = (struct call_bytes){ 0 };
    if (call->filling.length == 0) {
        free(call->filling.data);
        call->filling = (struct call_bytes){ 0 };
    }
    if (call->events != NULL)
        sse_rest(call->events);
    arena_trim(&call->ctx->arena);
    if (call->trims < TRIMS_MAX) {
        call->trims++;
        fiber_trim();
    }
    call_park(&call, 1);
}

const void *edge_reply_read(edge_ctx *ctx, edge_reply *reply, size_t *length)
{
    (void)ctx;
    struct http_call *call = call_of(reply);
    *length = 0;
    if (!call->request.streamed || reply->failure != EDGE_HTTP_OK)
        return NULL;

    call->reading.length = call->parsed = 0;
    while (call->filling.length == 0 && !call->attempt.over)
        wait_lean(call);
    if (call->filling.length == 0) {
        call_settle(call);
        return NULL;
    }
    swap_buffers(call);
    if (call->attempt.paused)
        fiber_on_loop(resume, call);
    *length = call->reading.length;
    return call->reading.data;
}

/* An answer that cannot be read on: the provider's connection goes with it. */
static void fail_stream(struct http_call *call, const char *message)
{
    fiber_on_loop(abandon, call);
    call->reply.failure = EDGE_HTTP_TOO_LARGE;
    call->reply.message = message;
}

const edge_event *edge_reply_event(edge_ctx *ctx, edge_reply *reply)
{
    struct http_call *call = call_of(reply);
    if (reply->failure != EDGE_HTTP_OK)
        return NULL;
    if (call->events == NULL) {
        call->events = edge_alloc(ctx, sizeof *call->events);
        sse_init(call->events, EVENT_MAX_BYTES);
    }

    for (;;) {
        size_t used = 0, length = 0;
        int rc = sse_feed(
            call->events, call->reading.data + call->parsed, call->reading.length - call->parsed, &used);
        call->parsed += used;
        if (rc == 1)
            return &call->events->event;
        if (rc < 0) {
            fail_stream(call, rc == -EMSGSIZE ? "an event is larger than 1 MiB" : "the host is out of memory");
            return NULL;
        }
        if (edge_reply_read(ctx, reply, &length) == NULL)
            return NULL;
    }
}

/* What is queued and not yet read becomes the beginning of the body. */
static bool begin_body(struct http_call *call)
{
    struct call_attempt *attempt = &call->attempt;
    size_t left = call->reading.length - call->parsed, waiting = call->filling.length, length = left + waiting;
    if (call->events == NULL)
        left = 0, length = waiting; /* the piece that edge_reply_read gave last has been read */
    if (length > call->request.max_bytes)
        return false;

    char *body = edge_alloc(call->ctx, length + 1);
    if (left > 0)
        memcpy(body, call->reading.data + call->parsed, left);
    if (waiting > 0)
        memcpy(body + left, call->filling.data, waiting);
    attempt->body = body;
    attempt->length = length;
    attempt->size = length + 1;
    call->reading.length = call->filling.length = call->parsed = 0;
    return true;
}

void edge_reply_finish(edge_ctx *ctx, edge_reply *reply)
{
    (void)ctx;
    struct http_call *call = call_of(reply);
    if (!call->request.streamed)
        return;
    call->request.streamed = false; /* from here the loop collects */
    if (reply->failure == EDGE_HTTP_OK) {
        if (!begin_body(call)) {
            call->request.streamed = true;
            fail_stream(call, "the answer is larger than its limit");
            call->request.streamed = false;
            reply->body = "";
            return;
        }
        fiber_on_loop(resume, call);
        while (!call->attempt.over)
            call_park(&call, 1);
    }
    call_settle(call);
}
