/*
 * A call from its fiber's side: attempts until there is an answer to show, with the waits between them.
 */
#include "call.h"

#include "provider.h"
#include "retry.h"
#include "source.h"
#include "target.h"

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

static void withdraw(void *arg)
{
    call_withdraw(arg);
}

static void abandon(void *arg)
{
    call_abandon(arg);
}

void call_at_end(edge_ctx *ctx, void (*fn)(void *arg), void *arg)
{
    if (ctx->finished)
        edge_defer(ctx, fn, arg);
    else
        context_at_finish(ctx, fn, arg);
}

void call_abandon_at_end(struct http_call *call)
{
    call_at_end(call->ctx, abandon, call);
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

static void stop_rest(struct http_call *call)
{
    ev_timer_stop(fiber_loop(), &call->timer);
    call->resting = false;
    call_wake(call);
}

static void rest_over(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)events;
    stop_rest(timer->data);
}

static void rest(struct http_call *call, int64_t ms)
{
    double after = (double)ms / 1000 + (ev_time() - ev_now(fiber_loop()));
    call->resting = true;
    ev_timer_init(&call->timer, rest_over, after, 0);
    call->timer.data = call;
    ev_timer_start(fiber_loop(), &call->timer);
}

static void client_left(void *arg)
{
    struct http_call *call = arg;
    call->left = true;
    if (call->resting)
        stop_rest(call);
    if (call->state == CALL_IDLE)
        return;
    call_end(call, EDGE_HTTP_CLIENT_GONE);
    snprintf(call->message, sizeof call->message, "the client has left");
}

/* Ends a call before anything of it is sent; the reply says so as if the attempt had been given up. */
static void end_unsent(struct http_call *call, edge_http_failure failure, const char *why)
{
    call->attempt = (struct call_attempt){ .over = true, .failure = failure };
    call->step = STEP_DONE;
    snprintf(call->message, sizeof call->message, "%s", why);
}

static void begin_attempt(struct http_call *call)
{
    call->attempt = (struct call_attempt){ 0 };
    call->reply = (edge_reply){ 0 };
    const char *refusal = target_refusal(call->request.target);
    if (call->left)
        end_unsent(call, EDGE_HTTP_CLIENT_GONE, "the client has left");
    else if (refusal != NULL)
        end_unsent(call, EDGE_HTTP_URL_REFUSED, refusal);
    else {
        call->step = STEP_ANSWER;
        fiber_on_loop(submit, call);
    }
}

static bool waits(const struct http_call *call)
{
    const struct call_attempt *attempt = &call->attempt;
    if (call->step == STEP_REST)
        return call->resting;
    return call->step == STEP_ANSWER && !attempt->over && !(call->request.streamed && attempt->head_done);
}

static void end_attempt(struct http_call *call)
{
    if (target_surveyed(call)) {
        call->step = STEP_BEGIN;
        return;
    }
    if (repeats_at_once(call)) {
        call->provider->retries++;
        call->step = STEP_BEGIN;
        return;
    }
    int64_t wait_ms = backoff_ms(call, call->repeats);
    call->step = wait_ms < 0 ? STEP_DONE : STEP_REST;
    if (wait_ms < 0)
        return;
    call->repeats++;
    fiber_on_loop(withdraw, call); /* the answer may be a stream, still open */
    rest(call, wait_ms);
}

static void advance(struct http_call *call)
{
    if (call->step == STEP_ANSWER) {
        end_attempt(call);
        return;
    }
    if (call->step == STEP_REST)
        call->provider->retries++;
    begin_attempt(call);
}

void call_heed_client(struct http_call *call)
{
    context_at_leave(call->ctx, client_left, call);
}

void call_submit(struct http_call *call)
{
    call->provider->calls++;
    call->ctx->usage.fetch_count++;
    begin_attempt(call);
}

/* A call that begins may end another one at once (a queue moves on), so nobody waits while any has moved. */
void call_finish(struct http_call **calls, size_t count)
{
    for (;;) {
        size_t waiting = 0, moved = 0;
        for (size_t i = 0; i < count; i++) {
            if (calls[i]->step == STEP_DONE)
                continue;
            if (waits(calls[i])) {
                waiting++;
                continue;
            }
            advance(calls[i]);
            moved++;
        }
        if (waiting + moved == 0)
            return;
        if (moved == 0)
            call_park(calls, count);
    }
}

void call_perform(struct http_call **calls, size_t count)
{
    for (size_t i = 0; i < count; i++)
        call_submit(calls[i]);
    call_finish(calls, count);
}

edge_reply *edge_try_fetch_with(edge_ctx *ctx, const char *provider, const edge_fetch_options *options)
{
    struct http_call *call = call_make(ctx, provider, options, false);
    call_perform(&call, 1);
    call_settle(call);
    return &call->reply;
}

edge_reply *edge_fetch_with(edge_ctx *ctx, const char *provider, const edge_fetch_options *options)
{
    edge_reply *reply = edge_try_fetch_with(ctx, provider, options);
    edge_reply_check(ctx, reply);
    return reply;
}

void edge_fetch_calls(edge_ctx *ctx, edge_reply **replies, const edge_call *asked, size_t count)
{
    struct http_call **calls = edge_alloc(ctx, (count > 0 ? count : 1) * sizeof *calls);
    /* All are made before any is sent: a mistake in one of them ends the invocation with nothing done. */
    for (size_t i = 0; i < count; i++)
        calls[i] = call_make(ctx, asked[i].provider, asked[i].options, false);
    call_perform(calls, count);
    for (size_t i = 0; i < count; i++) {
        call_settle(calls[i]);
        replies[i] = &calls[i]->reply;
    }
}

/* An answer that goes on for minutes does not keep its question: there is no attempt after this one. */
static void drop_body(struct http_call *call)
{
    struct call_request *request = &call->request;
    if (request->block == NULL || !call->attempt.taken)
        return;
    arena_block_free(request->block);
    request->block = NULL;
    request->body = NULL;
}

edge_reply *edge_fetch_stream_with(edge_ctx *ctx, const char *provider, const edge_fetch_options *options)
{
    struct http_call *call = call_make(ctx, provider, options, true);
    /* Between two reads no fiber waits in the call: the invocation's end must find it. */
    call_abandon_at_end(call);
    call_submit(call);
    fiber_trim(); /* who streams an answer takes his time to begin it */
    call_finish(&call, 1);
    /* What breaks after the head is told when the reader gets there. */
    if (!call->attempt.head_done)
        call_settle(call);
    drop_body(call);
    return &call->reply;
}
