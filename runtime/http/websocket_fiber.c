/*
 * A function that speaks for a whole session (edge/ws.h): the WebSocket side of its one invocation.
 */
#include "websocket_session.h"

#include "plugin/generation.h"
#include "plugin/invoke.h"
#include "server.h"
#include "telemetry/metrics.h"
#include "worker/state.h"

#include <context.h>
#include <log.h>
#include <ws.h>

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    CLOSE_NO_STATUS = 1005, /* RFC 6455 7.4.1: said by nobody */
    CLOSE_LOST = 1006,
};

struct websocket_fiber {
    struct ws_channel channel;
    struct websocket_session *session;
    edge_ctx *ctx;
};

static struct websocket_fiber *fiber_of(const struct ws_channel *channel)
{
    return (struct websocket_fiber *)(void *)channel;
}

static size_t on_queued(const struct ws_channel *channel)
{
    return fiber_of(channel)->session->queued_bytes;
}

static void on_send(struct ws_channel *channel, bool binary, const void *data, size_t length)
{
    struct websocket_fiber *fiber = fiber_of(channel);
    fiber->ctx->usage.bytes_out += length;
    fiber->ctx->usage.messages_out++;
    websocket_send_message(fiber->session, binary, data, length);
}

static void on_close(struct ws_channel *channel, int code, const char *reason)
{
    websocket_session_close(fiber_of(channel)->session, code, reason);
}

/* libwebsockets is not to be entered from here: the loop looks whether there is room now. */
static void on_taken(struct ws_channel *channel)
{
    struct websocket_session *session = fiber_of(channel)->session;
    session->message_at_us = clock_us();
    if (session->paused)
        websocket_want_flush(session);
}

static const struct ws_ops channel_ops = {
    .queued = on_queued,
    .send = on_send,
    .close = on_close,
    .taken = on_taken,
};

static void on_main(edge_ctx *ctx)
{
    struct websocket_fiber *fiber = ctx->host;
    const struct websocket_caller *caller = fiber->session->caller;
    ctx->request = caller->request;
    ctx->request.method = "GET";
    ctx->identity = caller->identity;
    ctx->function->session(ctx);
}

static void send_failure(edge_ctx *ctx, struct websocket_session *session)
{
    size_t length = 0;
    char *body = invoke_error_body(ctx, ctx->failure, &length);
    websocket_send(session, &(const struct websocket_reply){
                                .event = "\"error\"",
                                .data = body != NULL ? body : "{}",
                                .length = body != NULL ? length : 2,
                            });
    free(body);
}

/* The function says nothing more: closes, unless somebody has. */
static void close_session(edge_ctx *ctx, struct websocket_fiber *fiber)
{
    struct websocket_session *session = fiber->session;
    const struct failure *failure = ctx->failure;
    int code = LWS_CLOSE_STATUS_NORMAL;
    const char *reason = "";
    if (failure != NULL && fiber->channel.state == WS_OPEN)
        send_failure(ctx, session);
    if (failure != NULL) {
        code =
            failure->status < 500 ? LWS_CLOSE_STATUS_POLICY_VIOLATION : LWS_CLOSE_STATUS_UNEXPECTED_CONDITION;
        reason = failure->code;
    } else if (session->state == WEBSOCKET_ENDING) {
        code = session->close_code;
        reason = session->close_reason;
    }
    ws_channel_end(&fiber->channel, WS_CLOSED, code, reason);
    session->fiber = NULL;
    websocket_session_close(session, code, reason);
}

static void on_finished(edge_ctx *ctx)
{
    struct websocket_fiber *fiber = ctx->host;
    struct websocket_session *session = fiber->session;
    struct worker *worker = worker_of(session->server);
    int status = ctx->failure != NULL ? invoke_error_status(ctx->failure) : ctx->response.status;
    close_session(ctx, fiber);

    ctx->usage.close_code = fiber->channel.close_code;
    ctx->request.method = "WS";
    int64_t duration_us = log_invocation(ctx, status);
    ctx->request.method = "GET";
    metrics_record(worker->boot->slot, session->generation->index, status, duration_us, &ctx->usage);
}

static void on_released(edge_ctx *ctx)
{
    struct websocket_fiber *fiber = ctx->host;
    struct websocket_session *session = fiber->session;
    struct http_server *server = session->server;
    ws_channel_free(&fiber->channel);
    free(fiber);
    websocket_session_release(session);
    server->exchange_count--;
    http_server_check_drained(server);
}

/* Answers and streams are for functions that are called once a message. */
static void on_begin(edge_ctx *ctx, int status, const char *media_type, int64_t length)
{
    (void)status, (void)media_type, (void)length;
    edge_fail(ctx, 500, "internal_error", "A session speaks by edge_ws_send_text, _json and _bytes");
}

/* libwebsockets finds the socket broken when it looks. */
static void on_abort(edge_ctx *ctx)
{
    struct websocket_fiber *fiber = ctx->host;
    ws_channel_end(&fiber->channel, WS_CLOSED, CLOSE_LOST, "");
    if (fiber->session->wsi != NULL)
        shutdown(lws_get_socket_fd(fiber->session->wsi), SHUT_RDWR);
}

static const struct context_ops fiber_ops = {
    .main = on_main,
    .finished = on_finished,
    .released = on_released,
    .begin = on_begin,
    .abort = on_abort,
};

void websocket_fiber_start(struct websocket_session *session)
{
    struct websocket_fiber *fiber = calloc(1, sizeof *fiber);
    edge_ctx *ctx =
        fiber != NULL ? invoke_create(worker_of(session->server), session->generation, &fiber_ops, fiber, NULL)
                      : NULL;
    if (ctx == NULL) {
        free(fiber);
        websocket_session_close(session, LWS_CLOSE_STATUS_UNEXPECTED_CONDITION, "out of memory");
        return;
    }
    fiber->session = session;
    fiber->ctx = ctx;
    fiber->channel.subprotocol = session->subprotocol;
    ws_channel_init(&fiber->channel, ctx, &channel_ops);
    session->fiber = fiber;
    websocket_session_hold(session);
    session->server->exchange_count++;
    context_run(ctx);
}

void websocket_fiber_receive(struct websocket_session *session, char *data, size_t length, bool binary)
{
    struct websocket_fiber *fiber = session->fiber;
    if (fiber->channel.state != WS_OPEN) {
        free(data);
        return;
    }
    fiber->ctx->usage.bytes_in += length;
    fiber->ctx->usage.messages_in++;
    if (!ws_channel_deliver(&fiber->channel, data, length, binary))
        websocket_session_close(session, LWS_CLOSE_STATUS_UNEXPECTED_CONDITION, "out of memory");
}

bool websocket_fiber_full(const struct websocket_session *session)
{
    return session->fiber != NULL && session->fiber->channel.state == WS_OPEN &&
           session->fiber->channel.waiting_bytes > WS_WAITING_MAX;
}

void websocket_fiber_writable(struct websocket_session *session)
{
    if (session->fiber != NULL)
        ws_channel_writable(&session->fiber->channel);
}

void websocket_fiber_drain(struct websocket_session *session)
{
    if (session->fiber != NULL)
        ws_channel_drain(&session->fiber->channel);
}

void websocket_fiber_ended(struct websocket_session *session, int code, const char *reason)
{
    if (session->fiber != NULL)
        ws_channel_end(&session->fiber->channel, WS_ENDED, code, reason);
}

void websocket_fiber_left(struct websocket_session *session, const void *payload, size_t length)
{
    const unsigned char *bytes = payload;
    char reason[WS_REASON_MAX + 1] = "";
    int code = length >= 2 ? bytes[0] << 8 | bytes[1] : CLOSE_NO_STATUS;
    if (session->fiber == NULL)
        return;
    if (length > 2 && length - 2 < sizeof reason)
        memcpy(reason, bytes + 2, length - 2);
    ws_channel_end(&session->fiber->channel, WS_LEFT, code, reason);
}

/* Who has been told that the session is over goes on as one that finishes: its time is limited by now. */
void websocket_fiber_closed(struct websocket_session *session)
{
    struct websocket_fiber *fiber = session->fiber;
    if (fiber == NULL)
        return;
    bool told = fiber->channel.state != WS_OPEN;
    ws_channel_end(&fiber->channel, WS_LEFT, CLOSE_LOST, "");
    if (told)
        fiber->ctx->finish_on_disconnect = true;
    context_client_gone(fiber->ctx);
}
