/*
 * What the two sides of a WebSocket session share.
 */
#ifndef STREAM_WS_CHANNEL_H
#define STREAM_WS_CHANNEL_H

#include <context.h>
#include <ws.h>

/* A received message; malloc'ed, as is its data. */
struct ws_incoming {
    struct ws_incoming *next;
    char *data;
    size_t length;
    bool binary;
};

/* A fiber that is held back; on its stack. */
struct ws_writer {
    struct fiber_wait wait;
    struct ws_writer *next;
    struct ws_channel *channel;
};

/* Takes the oldest message off those that wait; NULL without any. */
struct ws_incoming *ws_channel_take(struct ws_channel *channel);

void ws_channel_drop_current(struct ws_channel *channel);
void ws_channel_drop_waiting(struct ws_channel *channel);

#endif
