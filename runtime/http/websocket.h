/*
 * Functions over a WebSocket (RFC 6455), by libwebsockets: each text message is one request body, answers and
 * stream events come back as messages (spec/README.md 16, ai.md S7).
 *
 * A function that declares .session speaks for the whole socket instead (edge/ws.h; websocket_fiber.c):
 * messages are what it makes of them, text or binary, and what is said below of calls does not apply.
 *
 * The HTTP side parses the opening request and identifies its caller as for any other request; browsers send
 * their token as Sec-WebSocket-Protocol "bearer, <token>" and are answered "bearer". The socket is then handed
 * to libwebsockets, which does the handshake's answer and the framing. Under TLS it gets one end of a socket
 * pair and the connection pumps (pump.h).
 *
 * What the client sends: a JSON object of at most 1 MiB. "id", a string, is repeated in every message about
 * it. Up to 16 are answered at a time, each id once, and one without an id. Every message is answered by any
 * number of events and exactly one "final" or "error":
 *
 *     {"event":"delta","id","data"}             an unnamed event of the function's stream; {"base64"} for bytes
 *     {"event":<name>,"id","data"}              a named one
 *     {"event":"final","id","data"}             the stream's own last event
 *     {"event":"final","id","status","data"}    the answer of a function that does not stream, or whose stream
 *                                               has no last event; bytes are {"mediaType","base64"}
 *     {"event":"error","id","data":{"error","code","requestId",…}}
 *
 * Refused without a call: invalid_json, invalid_input (the id), turn_in_progress, rate_limited, body_too_large,
 * draining, unauthorized.
 *
 * {"type":"cancel","id"} ends a call as a lost client would: a function that finishes on disconnect sees
 * edge_client_gone, and what it then returns, or sends as "final", is the answer; any other is broken off. The
 * answer of a call that says nothing more is {"event":"final","id","status":499,"data":{"partial":true,
 * "requestId"}}. A cancel that finds no call has lost a race with the answer, and is ignored.
 *
 * Closed with: 1000 after ten minutes without a message; 1001 when the host drains and the last call has been
 * answered; 1003 for binary messages; 1007 for what is no UTF-8; 1009 for a message that is too long; 4401
 * behind the "unauthorized" of the first message after the token's expiry and the calls that still ran. A
 * client that leaves two pings unanswered (one every 30 s of silence), or takes nothing for
 * [server].write_timeout, is dropped. EDGE_TEST_WEBSOCKET_PING_MS and EDGE_TEST_WEBSOCKET_IDLE_MS shorten the
 * waits on a host that serves the sandbox.
 */
#ifndef HTTP_WEBSOCKET_H
#define HTTP_WEBSOCKET_H

#include <ev.h>

struct exchange;
struct generation;

/* Makes libwebsockets a guest of the loop. 0 or a negative errno. */
int websocket_start(struct ev_loop *loop);

/*
 * Identifies the caller and opens a session, or answers the exchange with an error: 400 and 426 for a
 * malformed opening, 403 for an origin that [server].cors_origins does not name, and what auth.h says.
 */
void websocket_upgrade(struct exchange *exchange, struct generation *generation);

/* Asks every session to finish: no new calls, close when the running ones have been answered. */
void websocket_drain(void);

/*
 * Generations have been replaced: a function that speaks for its session with one of those has
 * [server].drain_timeout before it is asked to finish. Calls take the new one with their next message.
 */
void websocket_retire(void);

/* Closes every session and lets go of the loop. */
void websocket_stop(void);

#endif
