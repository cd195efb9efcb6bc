/*
 * A message's call: the WebSocket side of an invocation (context_ops), as invoke_http.c is HTTP's.
 *
 * Every message is answered by exactly one "final" or "error", whatever the function does.
 */
#include "websocket_session.h"

#include "auth.h"
#include "plugin/generation.h"
#include "plugin/invoke.h"
#include "server.h"
#include "supervisor/registry.h"
#include "telemetry/metrics.h"
#include "worker/state.h"

#include <edge/json.h>

#include <context.h>
#include <log.h>

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char event_delta[] = "\"delta\"", event_final[] = "\"final\"", event_error[] = "\"error\"";

static struct websocket_call *call_of(const edge_ctx *ctx)
{
    return ctx->host;
}

static size_t say(struct websocket_call *call, const char *event, int status, const char *data, size_t length)
{
    call->ctx->usage.bytes_out += length;
    return websocket_send(call->session, &(const struct websocket_reply){
                                             .event = event,
                                             .id = call->id,
                                             .status = status,
                                             .data = data,
                                             .length = length,
                                         });
}

static void on_main(edge_ctx *ctx)
{
    struct websocket_call *call = call_of(ctx);
    const struct websocket_caller *caller = call->session->caller;
    ctx->request = caller->request;
    ctx->request.body = call->body;
    ctx->request.body_length = call->body_length;
    if (call->id != NULL)
        ctx->request.message_id = json_loads(call->id, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    ctx->identity = caller->identity;
    ctx->usage.bytes_in = call->body_length;
    /* The opening request has been checked as functions.toml was then. */
    const struct function_config *config = call->generation->config;
    if (config->auth != caller->auth)
        auth_require(ctx, config);

    json_t *out = invoke_function(ctx, &call->generation);
    if (out != NULL)
        call->answer = edge_json_dump(ctx, out, &call->answer_length);
    else if (!ctx->response.streaming && !ctx->response.sent)
        edge_fail(ctx, 500, "internal_error", "The function answered nothing");
}

static void send_failure(edge_ctx *ctx, struct websocket_call *call)
{
    size_t length = 0;
    char *body = invoke_error_body(ctx, ctx->failure, &length);
    if (body != NULL)
        say(call, event_error, 0, body, length);
    else
        say(call, event_error, 0, "{}", 2);
    free(body);
}

/* The client has cancelled, and the function has not said more: what there was has been sent. */
static void send_cancelled(edge_ctx *ctx, struct websocket_call *call)
{
    char text[128];
    int length = snprintf(text, sizeof text, "{\"partial\":true,\"requestId\":\"%s\"}", ctx->request_id);
    say(call, event_final, 499, text, (size_t)length);
}

/* Behind the pieces of an answer in bytes: what they were. Without memory for that, that they were all. */
static void send_bytes_end(edge_ctx *ctx, struct websocket_call *call)
{
    json_t *object = json_pack("{s:s}", "mediaType", call->media_type);
    char *text = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    const char *data = text != NULL ? text : "null";
    say(call, event_final, ctx->response.status, data, strlen(data));
    free(text);
}

/* What ends the answer, unless the function's own last event has. */
static void send_end(edge_ctx *ctx, struct websocket_call *call)
{
    if (call->cancelled && (ctx->failure != NULL || call->answer == NULL))
        send_cancelled(ctx, call);
    else if (ctx->failure != NULL)
        send_failure(ctx, call);
    else if (call->answer != NULL)
        say(call, event_final, ctx->response.status, call->answer, call->answer_length);
    else if (call->in_pieces)
        send_bytes_end(ctx, call);
    else
        say(call, event_final, ctx->response.status, "null", 4);
}

static void take_off(struct websocket_call *call)
{
    struct websocket_session *session = call->session;
    if (call->previous != NULL)
        call->previous->next = call->next;
    else
        session->calls = call->next;
    if (call->next != NULL)
        call->next->previous = call->previous;
    session->call_count--;
    websocket_session_call_ended(session);
}

static void on_finished(edge_ctx *ctx)
{
    struct websocket_call *call = call_of(ctx);
    struct websocket_session *session = call->session;
    struct worker *worker = worker_of(session->server);
    int status = ctx->failure != NULL ? invoke_error_status(ctx->failure) : ctx->response.status;
    if (!call->ended)
        send_end(ctx, call);
    call->ended = true;

    const char *method = ctx->request.method;
    ctx->request.method = "WS"; /* for its line in the log only: the function was shown a POST */
    int64_t duration_us = log_invocation(ctx, status);
    ctx->request.method = method;
    metrics_record(worker->boot->slot, call->generation->index, status, duration_us, &ctx->usage);
    take_off(call);
}

static void call_free(struct websocket_call *call)
{
    if (call->generation != NULL)
        generation_release(call->generation);
    free(call->body);
    free(call->id);
    free(call);
}

static void on_released(edge_ctx *ctx)
{
    struct websocket_call *call = call_of(ctx);
    struct websocket_session *session = call->session;
    struct http_server *server = session->server;
    call_free(call);
    websocket_session_release(session);
    server->exchange_count--;
    http_server_check_drained(server);
}

/* Events need no head. Other media types are bytes; what was said of the length tells whether in one piece. */
static void on_begin(edge_ctx *ctx, int status, const char *media_type, int64_t length)
{
    struct websocket_call *call = call_of(ctx);
    ctx->response.status = status;
    if (strcmp(media_type, "text/event-stream") == 0)
        return;
    call->media_type = media_type;
    call->in_pieces = length < 0;
}

/* {"mediaType","base64"} of a whole answer, {"base64"} of a piece; malloc'ed, NULL when memory is short. */
static char *bytes_as_json(const char *media_type, const void *data, size_t length, size_t *text_length)
{
    struct arena *before = arena_enter(NULL); /* a stream may be longer than the invocation's memory */
    char *base64 = malloc(4 * ((length + 2) / 3) + 1), *text = NULL;
    if (base64 != NULL) {
        EVP_EncodeBlock((unsigned char *)base64, data, (int)length);
        json_t *object = json_pack("{s:s*, s:s}", "mediaType", media_type, "base64", base64);
        text = json_dumps(object, JSON_COMPACT);
        json_decref(object);
    }
    free(base64);
    arena_enter(before);
    *text_length = text != NULL ? strlen(text) : 0;
    return text;
}

static size_t send_bytes(edge_ctx *ctx, struct websocket_call *call, const void *data, size_t length)
{
    size_t text_length = 0;
    char *text = bytes_as_json(call->in_pieces ? NULL : call->media_type, data, length, &text_length);
    if (text == NULL)
        edge_alloc(ctx, ctx->arena.limit_bytes); /* fails, and says that memory has run out */
    call->ended = !call->in_pieces;
    size_t queued = say(call, call->in_pieces ? event_delta : event_final,
        call->in_pieces ? 0 : ctx->response.status, text, text_length);
    free(text);
    return queued;
}

static bool is_json_type(const char *media_type)
{
    return strncmp(media_type, "application/json", strlen("application/json")) == 0;
}

static size_t on_write(edge_ctx *ctx, const void *data, size_t length)
{
    struct websocket_call *call = call_of(ctx);
    if (call->session->wsi == NULL || call->ended || (call->cancelled && call->in_pieces))
        return 0;
    if (call->in_pieces || !is_json_type(call->media_type) || edge_json_parse(ctx, data, length) == NULL)
        return send_bytes(ctx, call, data, length);
    call->ended = true;
    return say(call, event_final, ctx->response.status, data, length);
}

/* A name as JSON text; malloc'ed, since a stream may have more events than the invocation has memory. */
static char *quoted(const char *name)
{
    struct arena *before = arena_enter(NULL);
    json_t *string = json_string(name);
    char *text = json_dumps(string, JSON_ENCODE_ANY);
    json_decref(string);
    arena_enter(before);
    return text;
}

static size_t on_event(edge_ctx *ctx, const char *event, const char *json, size_t length)
{
    struct websocket_call *call = call_of(ctx);
    bool last = event != NULL && (strcmp(event, "final") == 0 || strcmp(event, "error") == 0);
    if (call->session->wsi == NULL || call->ended || (call->cancelled && !last))
        return 0;
    call->ended = last;
    if (event == NULL)
        return say(call, event_delta, 0, json, length);
    char *name = quoted(event);
    size_t queued = say(call, name != NULL ? name : event_delta, 0, json, length);
    free(name);
    return queued;
}

/* There are other calls on the socket: this one ends with an "error", which the failure that follows sends. */
static void on_abort(edge_ctx *ctx)
{
    (void)ctx;
}

static const struct context_ops call_ops = {
    .main = on_main,
    .finished = on_finished,
    .released = on_released,
    .begin = on_begin,
    .write = on_write,
    .event = on_event,
    .abort = on_abort,
};

static void put_on(struct websocket_session *session, struct websocket_call *call)
{
    call->session = session;
    call->next = session->calls;
    if (call->next != NULL)
        call->next->previous = call;
    session->calls = call;
    session->call_count++;
    websocket_session_hold(session);
    session->server->exchange_count++;
}

bool websocket_session_follow(struct websocket_session *session)
{
    struct generation *now = revision_current(worker_of(session->server), session->generation);
    if (now == NULL)
        return false;
    generation_hold(now);
    generation_release(session->generation);
    session->generation = now;
    return true;
}

void websocket_call_start(struct websocket_session *session, char *body, size_t length, char *id)
{
    bool served = websocket_session_follow(session);
    if (served && registry_blocks(worker_of(session->server)->boot->registry, session->generation->index)) {
        websocket_refuse(session, id, "function_quarantined",
            "The function has crashed too often and is being held back", NULL);
        free(body);
        free(id);
        return;
    }
    struct websocket_call *call = served ? calloc(1, sizeof *call) : NULL;
    edge_ctx *ctx = call != NULL
                        ? invoke_create(worker_of(session->server), session->generation, &call_ops, call, NULL)
                        : NULL;
    if (ctx == NULL) {
        if (served)
            websocket_refuse(session, id, "overloaded", "The host is out of memory", NULL);
        else
            websocket_refuse(session, id, "function_not_found", "The function is not served any more", NULL);
        free(call);
        free(body);
        free(id);
        return;
    }
    call->ctx = ctx;
    call->generation = session->generation;
    generation_hold(call->generation);
    call->body = body;
    call->body_length = length;
    call->id = id;
    put_on(session, call);
    context_run(ctx);
}

void websocket_call_cancel(struct websocket_call *call)
{
    if (call->cancelled)
        return;
    call->cancelled = true;
    call->ctx->cancelled = true;
    context_client_gone(call->ctx);
}

void websocket_refuse(
    struct websocket_session *session, const char *id, const char *code, const char *message, const char *field)
{
    char request_id[40], text[256];
    context_make_request_id(request_id);
    int length = snprintf(text, sizeof text, "{\"error\":\"%s\",\"code\":\"%s\",\"requestId\":\"%s\"%s%s%s}",
        message, code, request_id, field != NULL ? ",\"field\":\"" : "", field != NULL ? field : "",
        field != NULL ? "\"" : "");
    websocket_send(session, &(const struct websocket_reply){
                                .event = event_error,
                                .id = id,
                                .data = text,
                                .length = (size_t)length,
                            });
}
