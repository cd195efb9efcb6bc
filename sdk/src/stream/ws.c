/*
 * WebSocket sessions as a function sees them; see edge/ws.h.
 */
#include "base/json_dump.h"
#include "stream/ws_channel.h"

#include <edge/json.h>

#include <string.h>

static struct ws_channel *channel_of(edge_ctx *ctx)
{
    if (ctx->ws == NULL)
        edge_fail(ctx, 500, "internal_error", "There is no WebSocket session: the descriptor needs .session");
    return ctx->ws;
}

struct receiving {
    struct fiber_wait wait;
    ev_timer timer;
    struct ws_channel *channel;
};

static void time_over(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)events;
    struct receiving *receiving = timer->data;
    fiber_wake(&receiving->wait);
}

static void receiving_over(struct fiber_wait *wait)
{
    struct receiving *receiving = (struct receiving *)(void *)wait;
    ev_timer_stop(fiber_loop(), &receiving->timer);
    receiving->channel->receiver = NULL;
}

/* Parks until something has come, or the time is over. */
static void wait_for_news(struct ws_channel *channel, int64_t timeout_ms)
{
    struct receiving receiving = {
        .wait = { .abandon = receiving_over, .reason = "message" },
        .channel = channel,
    };
    double late = ev_time() - ev_now(fiber_loop());
    ev_timer_init(&receiving.timer, time_over, (double)timeout_ms / 1000 + late, 0);
    receiving.timer.data = &receiving;
    if (timeout_ms > 0)
        ev_timer_start(fiber_loop(), &receiving.timer);
    channel->receiver = &receiving.wait;
    fiber_wait(&receiving.wait);
    receiving_over(&receiving.wait);
}

static void give_back(struct ws_channel *channel)
{
    json_decref(channel->json);
    channel->json = NULL;
    ws_channel_drop_current(channel);
}

edge_ws_message *edge_ws_recv(edge_ctx *ctx, int64_t timeout_ms)
{
    struct ws_channel *channel = channel_of(ctx);
    if (channel->receiver != NULL)
        edge_fail(ctx, 500, "internal_error", "Another fiber of the function receives already");
    give_back(channel);
    if (channel->first == NULL && channel->state == WS_OPEN && !channel->drain_due)
        wait_for_news(channel, timeout_ms);
    if (channel->drain_due) {
        channel->drain_due = false;
        return NULL;
    }

    channel->current = ws_channel_take(channel);
    if (channel->current == NULL)
        return NULL;
    if (channel->state == WS_OPEN)
        channel->ops->taken(channel);
    channel->message = (edge_ws_message){
        .data = channel->current->data,
        .length = channel->current->length,
        .binary = channel->current->binary,
    };
    return &channel->message;
}

json_t *edge_ws_json(edge_ctx *ctx)
{
    struct ws_channel *channel = channel_of(ctx);
    if (channel->json == NULL && channel->current != NULL)
        channel->json = edge_json_parse(ctx, channel->current->data, channel->current->length);
    return channel->json;
}

static void writer_over(struct fiber_wait *wait)
{
    struct ws_writer *writer = (struct ws_writer *)(void *)wait;
    struct ws_writer **at = &writer->channel->writers;
    while (*at != writer)
        at = &(*at)->next;
    *at = writer->next;
}

static void hold_back(struct ws_channel *channel)
{
    struct ws_writer writer = {
        .wait = { .abandon = writer_over, .reason = "slow reader" },
        .channel = channel,
    };
    struct ws_writer **end = &channel->writers;
    while (*end != NULL)
        end = &(*end)->next;
    *end = &writer;
    fiber_wait(&writer.wait);
    writer_over(&writer.wait);
}

/* Parks before a message, not behind it: many senders then queue little more than one does. */
static bool may_send(struct ws_channel *channel)
{
    edge_ctx *ctx = channel->ctx;
    while (channel->state == WS_OPEN && channel->ops->queued(channel) > STREAM_HIGH_WATER)
        hold_back(channel);
    if (channel->state == WS_LEFT && !channel->finishes && !ctx->finished)
        context_fail_detail(ctx, 499, "client_gone", "The client closed the connection", NULL);
    return channel->state == WS_OPEN;
}

/* Clients break a session off over it, and then nobody knows who sent what. malloc'ed: text may be long. */
static bool is_utf8(const char *text)
{
    struct arena *before = arena_enter(NULL);
    json_t *string = json_string(text);
    json_decref(string);
    arena_enter(before);
    return string != NULL;
}

void edge_ws_send_text(edge_ctx *ctx, const char *text)
{
    struct ws_channel *channel = channel_of(ctx);
    if (!is_utf8(text))
        edge_fail(ctx, 500, "internal_error", "The text to be sent is no UTF-8");
    if (may_send(channel))
        channel->ops->send(channel, false, text, strlen(text));
}

void edge_ws_send_json(edge_ctx *ctx, const json_t *value)
{
    struct ws_channel *channel = channel_of(ctx);
    if (!may_send(channel))
        return;
    size_t length = 0;
    const char *text = json_dump_shared(value, &length);
    if (text == NULL)
        edge_fail(ctx, 503, "overloaded", "The host is out of memory");
    channel->ops->send(channel, false, text, length);
}

void edge_ws_send_bytes(edge_ctx *ctx, const void *data, size_t length)
{
    struct ws_channel *channel = channel_of(ctx);
    if (may_send(channel))
        channel->ops->send(channel, true, data, length);
}

/* RFC 6455 7.4: 1004 to 1006 and 1015 are never sent, and below 3000 the rest is not assigned. */
static bool is_close_code(int code)
{
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

void edge_ws_close(edge_ctx *ctx, int code, const char *reason)
{
    struct ws_channel *channel = channel_of(ctx);
    if (!is_close_code(code))
        edge_fail(ctx, 500, "internal_error", "%d is no close code that may be sent", code);
    if (reason != NULL && !is_utf8(reason))
        edge_fail(ctx, 500, "internal_error", "The reason to be sent is no UTF-8");
    ws_channel_drop_waiting(channel);
    if (channel->state != WS_OPEN)
        return;
    ws_channel_end(channel, WS_CLOSED, code, reason != NULL ? reason : "");
    channel->ops->close(channel, code, channel->close_reason);
}

bool edge_ws_open(edge_ctx *ctx)
{
    return channel_of(ctx)->state == WS_OPEN;
}

int edge_ws_close_code(edge_ctx *ctx)
{
    return channel_of(ctx)->close_code;
}

const char *edge_ws_close_reason(edge_ctx *ctx)
{
    return channel_of(ctx)->close_reason;
}

const char *edge_ws_subprotocol(edge_ctx *ctx)
{
    return channel_of(ctx)->subprotocol;
}

void edge_ws_watch_drain(edge_ctx *ctx)
{
    struct ws_channel *channel = channel_of(ctx);
    if (channel->draining && !channel->drain_watched)
        channel->drain_due = true;
    channel->drain_watched = true;
}

bool edge_ws_draining(edge_ctx *ctx)
{
    return channel_of(ctx)->draining;
}
