/*
 * A call from its fiber's side: attempts until there is an answer to show, with the waits between them.
 */
#include "call.h"

#include "provider.h"
#include "retry.h"

#include <edge/crypto.h>

#include <stdio.h>

/* Room that must be left after a wait for another attempt to be worth it. */
enum {
    WORTHWHILE_MS = 50
};

static void submit(void *arg)
{
    provider_submit(arg);
}

static void abandon(void *arg)
{
    call_abandon(arg);
}

static void attempt(struct http_call *call)
{
    call->attempt = (struct call_attempt){ 0 };
    call->reply = (edge_reply){ 0 };
    fiber_on_loop(submit, call);
    while (!call->attempt.over && !(call->request.streamed && call->attempt.head_done))
        call_park(call);
}

/* What is left of the call's own limit and of the invocation's deadline. */
static int64_t remaining_ms(const struct http_call *call)
{
    int64_t left = context_remaining_ms(call->ctx);
    int64_t own = call->deadline_us > 0 ? (call->deadline_us - clock_us()) / 1000 : INT64_MAX;
    return own < left ? own : left;
}

/* The one repeat that needs no setting: a connection broke, nothing came back, nothing can have been done
 * twice. */
static bool repeats_at_once(struct http_call *call)
{
    const struct call_attempt *attempt = &call->attempt;
    if (!attempt->over || attempt->failure != EDGE_HTTP_UNREACHABLE || !attempt->sent || attempt->answered)
        return false;
    if (!call->request.safe || call->repeated || remaining_ms(call) < WORTHWHILE_MS)
        return false;
    call->repeated = true;
    return true;
}

/* Milliseconds to wait before the repeat that the provider's setting allows, or -1. */
static int64_t backoff_ms(const struct http_call *call, int repeats)
{
    const struct call_attempt *attempt = &call->attempt;
    /* A request that never went out can be sent whatever its method is. */
    bool safe = call->request.safe || (attempt->over && !attempt->sent);
    if (!safe || repeats >= call->request.retries || !retry_helps(attempt->failure, call->reply.status))
        return -1;

    uint32_t random;
    edge_random(&random, sizeof random);
    int64_t wait_ms = retry_backoff_ms(repeats, call->reply.retry_after_seconds, random);
    return wait_ms + WORTHWHILE_MS <= remaining_ms(call) ? wait_ms : -1;
}

static void client_left(void *arg)
{
    struct http_call *call = arg;
    call->left = true;
    if (call->state == CALL_IDLE)
        return;
    snprintf(call->message, sizeof call->message, "the client has left");
    call_end(call, EDGE_HTTP_CLIENT_GONE);
}

/* Submits nothing for a client that has left; the reply says so as if the attempt had been given up. */
static bool not_wanted(struct http_call *call)
{
    if (!call->left)
        return false;
    call->attempt = (struct call_attempt){ .over = true, .failure = EDGE_HTTP_CLIENT_GONE };
    snprintf(call->message, sizeof call->message, "the client has left");
    return true;
}

static void perform(struct http_call *call)
{
    if (call->request.until_client_leaves)
        context_at_leave(call->ctx, client_left, call);
    call->provider->calls++;
    call->ctx->usage.fetch_count++;
    for (int repeats = 0;;) {
        if (not_wanted(call))
            break;
        attempt(call);
        if (!repeats_at_once(call)) {
            int64_t wait_ms = backoff_ms(call, repeats);
            if (wait_ms < 0)
                break;
            repeats++;
            fiber_on_loop(abandon, call); /* the answer may be a stream, still open */
            edge_sleep(call->ctx, wait_ms);
        }
        call->provider->retries++;
    }
}

edge_reply *edge_try_fetch_with(edge_ctx *ctx, const char *provider, const edge_fetch_options *options)
{
    struct http_call *call = call_make(ctx, provider, options, false);
    perform(call);
    call_settle(call);
    return &call->reply;
}

edge_reply *edge_fetch_with(edge_ctx *ctx, const char *provider, const edge_fetch_options *options)
{
    edge_reply *reply = edge_try_fetch_with(ctx, provider, options);
    edge_reply_check(ctx, reply);
    return reply;
}

edge_reply *edge_fetch_stream_with(edge_ctx *ctx, const char *provider, const edge_fetch_options *options)
{
    struct http_call *call = call_make(ctx, provider, options, true);
    /* Between two reads no fiber waits in the call: the invocation's end must find it. */
    if (ctx->finished)
        edge_defer(ctx, abandon, call);
    else
        context_at_finish(ctx, abandon, call);
    perform(call);
    /* What breaks after the head is told when the reader gets there. */
    if (!call->attempt.head_done)
        call_settle(call);
    return &call->reply;
}
