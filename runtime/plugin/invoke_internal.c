/*
 * Functions called from within the process: the third transport, beside HTTP and WebSocket messages.
 *
 * The callee is an invocation of its own: arena, limits, deadline, log line and metrics. What it is given is
 * copied to it before its first line runs, and what it answered is copied to the caller when it has finished,
 * so either may outlive the other: a caller that fails leaves its callees (inner->call is NULL then), and
 * background work goes on behind the answer.
 */
#include "invoke.h"

#include "generation.h"
#include "jobs/jobs.h"
#include "supervisor/registry.h"
#include "telemetry/metrics.h"
#include "worker/state.h"

#include <edge/json.h>

#include <context.h>
#include <log.h>
#include <task.h>

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

struct inner {
    struct invoke_call *call; /* NULL once it has been answered or its caller is gone */
    edge_ctx *ctx;
    struct generation *generation;
    char *body;
    size_t body_length;

    const char *media_type; /* of an answer in bytes, else NULL */
    bool failed_event;      /* the last event was "error" */
    char *text;             /* the answer, malloc'ed: JSON, or bytes of media_type */
    size_t length, capacity;
};

/* The worker whose functions call one another; a process has one. */
static struct worker *worker;

/* --- the callee's side --- */

/*
 * Whom the service acts for goes along, and need not be named again in the body. A signed event is proof for
 * its own function only. An administrator's claim is given by the callee's own check.
 */
static void take_identity(edge_ctx *ctx, const struct invoke_call *call)
{
    const struct identity *from = &call->caller->identity;
    if (call->service || from->caller == EDGE_CALLER_SERVICE) {
        const char *user = from->caller == EDGE_CALLER_SERVICE ? from->user : NULL;
        ctx->identity = (struct identity){ .caller = EDGE_CALLER_SERVICE, .user = edge_copy(ctx, user) };
        return;
    }
    if (from->caller != EDGE_CALLER_USER)
        return;
    ctx->identity = (struct identity){
        .caller = EDGE_CALLER_USER,
        .user = edge_copy(ctx, from->user),
        .claims_json = edge_copy(ctx, from->claims_json),
        .session = edge_copy(ctx, from->session),
        .organisation = edge_copy(ctx, from->organisation),
        .org_role = edge_copy(ctx, from->org_role),
    };
}

/* Functions are called with POST, or with the first method that they answer. */
static const char *method_of(edge_ctx *ctx)
{
    const char *methods = ctx->function->methods;
    if (methods == NULL || strstr(methods, "POST") != NULL)
        return "POST";
    return edge_copy_bytes(ctx, methods, strcspn(methods, " "));
}

static void on_main(edge_ctx *ctx)
{
    static const edge_header none[] = { { 0 } };
    struct inner *inner = ctx->host;
    const struct invoke_call *call = inner->call; /* there: nobody has had a turn since it was made */
    const struct request_view *outer = &call->caller->request;
    ctx->request = (struct request_view){
        .method = method_of(ctx),
        .path = inner->generation->config->route,
        .query = "",
        .headers = none,
        .params = none,
        .body = inner->body,
        .body_length = inner->body_length,
        .ip = edge_copy(ctx, outer->ip),
        .origin = edge_copy(ctx, outer->origin),
        .internal = true,
        .depth = outer->depth + 1,
    };
    ctx->usage.bytes_in = inner->body_length;
    take_identity(ctx, call);

    json_t *out = invoke_function(ctx, &inner->generation);
    if (out == NULL && !ctx->response.streaming && !ctx->response.sent)
        edge_fail(ctx, 500, "internal_error", "The function answered nothing");
    if (out == NULL || ctx->response.sent)
        return;
    size_t length = 0;
    const char *text = edge_json_dump(ctx, out, &length);
    ctx->ops->event(ctx, "final", text, length);
}

static void on_begin(edge_ctx *ctx, int status, const char *media_type, int64_t length)
{
    (void)length;
    struct inner *inner = ctx->host;
    ctx->response.status = status;
    if (strcmp(media_type, "text/event-stream") != 0)
        inner->media_type = media_type;
}

/* Grows to what the function's memory limit allows; the answer is not in its arena, but counts as if. */
static bool append(struct inner *inner, const void *data, size_t length)
{
    size_t needed = inner->length + length + 1, limit = inner->generation->config->memory_bytes;
    if (needed > limit)
        return false;
    if (needed > inner->capacity) {
        size_t capacity = needed * 2 < limit ? needed * 2 : limit;
        char *grown = realloc(inner->text, capacity);
        if (grown == NULL)
            return false;
        inner->text = grown;
        inner->capacity = capacity;
    }
    if (length > 0)
        memcpy(inner->text + inner->length, data, length);
    inner->length += length;
    inner->text[inner->length] = '\0';
    return true;
}

static size_t on_write(edge_ctx *ctx, const void *data, size_t length)
{
    struct inner *inner = ctx->host;
    ctx->usage.bytes_out += length;
    if (inner->call != NULL && !inner->call->answer_unread && !append(inner, data, length))
        edge_alloc(ctx, ctx->arena.limit_bytes); /* fails, and says that memory has run out */
    return 0;
}

static size_t on_event(edge_ctx *ctx, const char *event, const char *json, size_t length)
{
    struct inner *inner = ctx->host;
    bool failed = event != NULL && strcmp(event, "error") == 0;
    if (!failed && (event == NULL || strcmp(event, "final") != 0))
        return 0;
    inner->failed_event = failed;
    inner->length = 0;
    return on_write(ctx, json, length);
}

/* There is no connection: the failure that follows says it. */
static void on_abort(edge_ctx *ctx)
{
    (void)ctx;
}

/* --- handing the answer over; on the loop's stack, in the caller's memory --- */

static const char *caller_copy(edge_ctx *caller, const char *text)
{
    size_t size = text != NULL ? strlen(text) + 1 : 0;
    char *copy = size > 0 ? arena_alloc(&caller->arena, size) : NULL;
    return copy != NULL ? memcpy(copy, text, size) : NULL;
}

static const edge_header *copy_headers(edge_ctx *caller, const struct header_node *from)
{
    static const edge_header none[] = { { 0 } };
    size_t count = 0;
    for (const struct header_node *node = from; node != NULL; node = node->next)
        count++;
    edge_header *headers = count > 0 ? arena_alloc(&caller->arena, (count + 1) * sizeof *headers) : NULL;
    if (headers == NULL)
        return none;
    for (size_t i = 0; i < count; i++, from = from->next)
        headers[i] = (edge_header){ caller_copy(caller, from->name), caller_copy(caller, from->value) };
    return headers;
}

/* {"mediaType","base64"}, in the arena that has been entered. */
static json_t *bytes_value(edge_ctx *caller, const struct inner *inner)
{
    char *base64 = arena_alloc(&caller->arena, 4 * ((inner->length + 2) / 3) + 1);
    if (base64 == NULL)
        return NULL;
    EVP_EncodeBlock((unsigned char *)base64, (const unsigned char *)inner->text, (int)inner->length);
    return json_pack("{s:s, s:s}", "mediaType", inner->media_type, "base64", base64);
}

static json_t *answer_value(edge_ctx *caller, const struct inner *inner)
{
    const int flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
    bool json = inner->media_type == NULL || strncmp(inner->media_type, "application/json", 16) == 0;
    if (inner->length == 0)
        return json_null();
    if (!json)
        return bytes_value(caller, inner);
    json_error_t error;
    json_t *value = json_loadb(inner->text, inner->length, flags, &error);
    bool no_json = value == NULL && json_error_code(&error) != json_error_out_of_memory;
    return no_json && inner->media_type != NULL ? bytes_value(caller, inner) : value;
}

static json_t *failure_value(const edge_ctx *ctx)
{
    size_t length = 0;
    char *text = invoke_error_body(ctx, ctx->failure, &length);
    json_t *value = text != NULL ? json_loadb(text, length, JSON_ALLOW_NUL, NULL) : NULL;
    free(text);
    return value;
}

static void end_call(struct invoke_call *call)
{
    call->callee = NULL;
    call->ended = true;
    fiber_wake(&call->wait);
}

static void hand_over(edge_ctx *ctx, struct inner *inner, int status)
{
    struct invoke_call *call = inner->call;
    edge_ctx *caller = call->caller;
    inner->call = NULL;
    call->status = status;
    if (ctx->failure != NULL) {
        call->code = caller_copy(caller, ctx->failure->code);
        call->message = caller_copy(caller, ctx->failure->said.message);
        call->retry_after_seconds = ctx->failure->said.retry_after_seconds;
    } else if (inner->failed_event) {
        call->status = 500;
        call->code = "internal_error";
    }
    if (!call->answer_unread) {
        struct arena *before = arena_enter(&caller->arena);
        call->answer = ctx->failure != NULL ? failure_value(ctx) : answer_value(caller, inner);
        if (inner->failed_event && edge_json_text(call->answer, "code") != NULL)
            call->code = edge_json_text(call->answer, "code");
        arena_enter(before);
        call->headers = copy_headers(caller, ctx->response.headers);
    }
    end_call(call);
}

static void on_finished(edge_ctx *ctx)
{
    struct inner *inner = ctx->host;
    int status = ctx->failure != NULL ? invoke_error_status(ctx->failure) : ctx->response.status;
    const char *method = ctx->request.method;
    ctx->request.method = "CALL"; /* for its line in the log only */
    int64_t duration_us = log_invocation(ctx, status);
    ctx->request.method = method;
    metrics_record(worker->boot->slot, inner->generation->index, status, duration_us, &ctx->usage);
    if (inner->call != NULL)
        hand_over(ctx, inner, status);
}

static void inner_free(struct inner *inner)
{
    free(inner->text);
    free(inner->body);
    free(inner);
}

static void on_released(edge_ctx *ctx)
{
    struct inner *inner = ctx->host;
    generation_release(inner->generation);
    inner_free(inner);
    worker->server.exchange_count--;
    http_server_check_drained(&worker->server);
}

static const struct context_ops inner_ops = {
    .main = on_main,
    .finished = on_finished,
    .released = on_released,
    .begin = on_begin,
    .write = on_write,
    .event = on_event,
    .abort = on_abort,
};

/* --- starting --- */

/* Ends a call that no function has been started for. */
static void refuse(struct invoke_call *call, int status, const char *code, const char *message)
{
    edge_ctx *caller = call->caller;
    call->status = status;
    call->code = code;
    call->message = message;
    struct arena *before = arena_enter(&caller->arena);
    if (!call->answer_unread)
        call->answer =
            json_pack("{s:s, s:s, s:s}", "error", message, "code", code, "requestId", caller->request_id);
    arena_enter(before);
    call->headers = copy_headers(caller, NULL);
    end_call(call);
}

/* malloc'ed, since the caller may end first. NULL when memory is short. */
static struct inner *inner_create(struct invoke_call *call, struct generation *generation)
{
    struct inner *inner = calloc(1, sizeof *inner);
    if (inner == NULL)
        return NULL;
    inner->call = call;
    inner->generation = generation;
    inner->body = malloc(call->body_length + 1);
    inner->body_length = call->body_length;
    if (inner->body != NULL) {
        memcpy(inner->body, call->body, call->body_length);
        inner->body[call->body_length] = '\0';
        inner->ctx = invoke_create(worker, generation, &inner_ops, inner, NULL);
    }
    if (inner->ctx != NULL)
        return inner;
    inner_free(inner);
    return NULL;
}

static void run(struct invoke_call *call, struct generation *generation)
{
    struct inner *inner = inner_create(call, generation);
    if (inner == NULL) {
        refuse(call, 503, "overloaded", "The host is out of memory");
        return;
    }
    edge_ctx *ctx = inner->ctx;
    if (call->timeout_ms > 0 && (ctx->timeout_ms <= 0 || call->timeout_ms < ctx->timeout_ms))
        ctx->timeout_ms = call->timeout_ms;
    call->callee = inner;
    generation_hold(generation);
    worker->server.exchange_count++;
    context_run(ctx);
}

static void invoke(struct invoke_call *call)
{
    struct generation *generation = revision_find(worker, call->name);
    if (generation == NULL) {
        call->not_served = true;
        refuse(call, 404, "function_not_found", "There is no function of this name");
    } else if (registry_blocks(worker->boot->registry, generation->index)) {
        refuse(call, 503, "function_quarantined", "The function has crashed too often and is being held back");
    } else if (call->caller->request.depth >= INVOKE_DEPTH_MAX) {
        refuse(call, 508, "invocation_loop", "Functions have called one another too many times");
    } else if (generation->config->max_body_bytes > 0 &&
               call->body_length > generation->config->max_body_bytes) {
        refuse(call, 413, "body_too_large", "The body is larger than the function takes");
    } else {
        run(call, generation);
    }
}

/* A function that finishes on disconnect goes on, as it would when any other client leaves. */
static void leave(struct invoke_call *call)
{
    struct inner *inner = call->callee;
    inner->call = NULL;
    context_client_gone(inner->ctx);
}

void invoke_internal_start(struct worker *started)
{
    static const struct task_host host = { .invoke = invoke, .leave = leave, .enqueued = jobs_nudge };
    worker = started;
    task_use(&host);
}
