/*
 * Functions over a WebSocket (RFC 6455), by libwebsockets: each text message is one request body, answers and
 * stream events come back as messages {"event","id","data"} (spec/README.md 16, ai.md S7).
 *
 * The HTTP side parses the opening request and verifies its token; the socket and the request's bytes are then
 * handed to libwebsockets (lws_adopt_socket_vhost_readbuf), which does the handshake, framing and
 * permessage-deflate. Under TLS libwebsockets gets one end of a socket pair and the connection pumps.
 */
#ifndef HTTP_WEBSOCKET_H
#define HTTP_WEBSOCKET_H

#include <ev.h>

struct exchange;
struct generation;

/* Makes libwebsockets a guest of the loop. 0 or a negative errno. */
int websocket_start(struct ev_loop *loop);

/* Identifies the caller and opens a session, or answers the exchange with an error (401 before the upgrade). */
void websocket_upgrade(struct exchange *exchange, struct generation *generation);

/* Asks every session to finish: no new messages, close when the running ones have ended. */
void websocket_drain(void);

/* Closes every session and lets go of the loop. */
void websocket_stop(void);

#endif
