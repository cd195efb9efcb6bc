/*
 * The host's side of a WebSocket session; see host/ws.h.
 */
#include "stream/ws_channel.h"

#include <stdlib.h>
#include <string.h>

void ws_channel_init(struct ws_channel *channel, edge_ctx *ctx, const struct ws_ops *ops)
{
    channel->ctx = ctx;
    channel->ops = ops;
    channel->timeout_ms = ctx->timeout_ms;
    channel->finishes = ctx->finish_on_disconnect;
    ctx->timeout_ms = 0;
    ctx->ws = channel;
}

static void free_incoming(struct ws_incoming *incoming)
{
    if (incoming != NULL)
        free(incoming->data);
    free(incoming);
}

struct ws_incoming *ws_channel_take(struct ws_channel *channel)
{
    struct ws_incoming *incoming = channel->first;
    if (incoming == NULL)
        return NULL;
    channel->first = incoming->next;
    channel->waiting_bytes -= sizeof *incoming + incoming->length;
    return incoming;
}

void ws_channel_drop_current(struct ws_channel *channel)
{
    free_incoming(channel->current);
    channel->current = NULL;
}

void ws_channel_drop_waiting(struct ws_channel *channel)
{
    while (channel->first != NULL)
        free_incoming(ws_channel_take(channel));
}

/* What is in the invocation's memory goes away with that. */
void ws_channel_free(struct ws_channel *channel)
{
    ws_channel_drop_current(channel);
    ws_channel_drop_waiting(channel);
}

static void wake_receiver(struct ws_channel *channel)
{
    if (channel->receiver != NULL)
        fiber_wake(channel->receiver);
}

bool ws_channel_deliver(struct ws_channel *channel, char *data, size_t length, bool binary)
{
    struct ws_incoming *incoming = malloc(sizeof *incoming);
    char *fitted = incoming != NULL ? realloc(data, length + 1) : NULL;
    if (fitted == NULL) {
        free(incoming);
        free(data);
        return false;
    }
    fitted[length] = '\0';
    *incoming = (struct ws_incoming){ .data = fitted, .length = length, .binary = binary };
    if (channel->first != NULL)
        channel->last->next = incoming;
    else
        channel->first = incoming;
    channel->last = incoming;
    channel->waiting_bytes += sizeof *incoming + length;
    wake_receiver(channel);
    return true;
}

void ws_channel_writable(struct ws_channel *channel)
{
    for (struct ws_writer *writer = channel->writers; writer != NULL; writer = writer->next)
        fiber_wake(&writer->wait);
}

void ws_channel_drain(struct ws_channel *channel)
{
    channel->draining = true;
    channel->drain_due = channel->drain_watched;
    if (channel->drain_due)
        wake_receiver(channel);
}

/* Length of the longest beginning of text that fits and ends with a whole character. */
static size_t fitting_length(const char *text)
{
    size_t length = strnlen(text, WS_REASON_MAX + 1);
    if (length <= WS_REASON_MAX)
        return length;
    length = WS_REASON_MAX;
    while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
        length--;
    return length;
}

void ws_channel_end(struct ws_channel *channel, enum ws_state state, int code, const char *reason)
{
    if (channel->state != WS_OPEN)
        return;
    channel->state = state;
    channel->close_code = (uint16_t)code;
    memcpy(channel->close_reason, reason, fitting_length(reason));
    context_limit(channel->ctx, channel->timeout_ms);
    wake_receiver(channel);
    ws_channel_writable(channel);
}
