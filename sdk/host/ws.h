/*
 * A WebSocket session between the transport and the function: what the client has sent and the function has not
 * received yet, who waits for what, and how it ended.
 *
 * The transport owns the channel: it makes it with ws_channel_init before the function starts, and frees it
 * when the invocation is released. Unless said otherwise calls are for the loop's stack.
 */
#ifndef HOST_WS_H
#define HOST_WS_H

#include <edge/ws.h>

#include "fiber.h"

/* Received bytes that wait for the function, above which the transport reads no more. */
#define WS_WAITING_MAX (64 * 1024)

#define WS_REASON_MAX 123

struct ws_channel;
struct ws_incoming;
struct ws_writer;

/* What the transport does; called on the invocation's fibers, as long as the channel is open. */
struct ws_ops {
    size_t (*queued)(const struct ws_channel *channel); /* bytes that the client has not taken yet */
    void (*send)(struct ws_channel *channel, bool binary, const void *data, size_t length);
    void (*close)(struct ws_channel *channel, int code, const char *reason); /* the channel has just ended */
    void (*taken)(struct ws_channel *channel); /* a received message: there may be room to read on */
};

enum ws_state {
    WS_OPEN,
    WS_CLOSED, /* by the function: it hears nothing more */
    WS_ENDED,  /* by the host */
    WS_LEFT,   /* by the client */
};

struct ws_channel {
    edge_ctx *ctx;
    const struct ws_ops *ops;
    const char *subprotocol; /* agreed on; NULL without one */
    int64_t timeout_ms;      /* of what the function does behind the session's end */
    bool finishes;           /* the function is not ended by the loss of its client */

    enum ws_state state;
    bool drain_watched, drain_due, draining;
    uint16_t close_code;
    char close_reason[WS_REASON_MAX + 1];

    struct ws_incoming *first, *last; /* received, oldest first */
    struct ws_incoming *current;      /* what the function has */
    size_t waiting_bytes;             /* of first to last, with what keeping them takes */
    edge_ws_message message;
    json_t *json; /* of current, in the invocation's memory */

    struct fiber_wait *receiver;
    struct ws_writer *writers; /* held back, oldest first */
};

/* Ties a zeroed channel to an invocation that has not started. */
void ws_channel_init(struct ws_channel *channel, edge_ctx *ctx, const struct ws_ops *ops);

/* Frees what was received; when the invocation is released. */
void ws_channel_free(struct ws_channel *channel);

/* A message has come: takes the malloc'ed data over. False when memory is short, and data is gone then, too. */
bool ws_channel_deliver(struct ws_channel *channel, char *data, size_t length, bool binary);

/* The client has taken what was queued: senders go on. */
void ws_channel_writable(struct ws_channel *channel);

/* The host is about to stop. */
void ws_channel_drain(struct ws_channel *channel);

/*
 * The session is over: nothing comes or goes any more, and the function's time counts from now. The first end
 * is the one that is remembered. Also on a fiber. reason is cut to WS_REASON_MAX bytes, at a character.
 */
void ws_channel_end(struct ws_channel *channel, enum ws_state state, int code, const char *reason);

#endif
