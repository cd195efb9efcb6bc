/*
 * WebSocket sessions: a function that declares .session speaks with one client from the opening of its socket
 * to the end, in one fiber, as a straight line. (A function without it is called once for every message, and
 * need not know that there is a WebSocket: request.h, stream.h.)
 *
 *     static void echo(edge_ctx *ctx)
 *     {
 *         for (edge_ws_message *said; (said = edge_ws_recv(ctx, 0)) != NULL;)
 *             edge_ws_send_text(ctx, said->data);
 *     }
 *
 *     EDGE_FUNCTION(echo, .summary = "Says what it hears", .session = echo);
 *
 * The opening request is what edge_request_* and edge_auth_* show. It is identified and counted against the
 * rate limit as any other, and refused with a status before the socket opens. The input table belongs to
 * .handle; without .handle an ordinary request is answered 426 "upgrade_required".
 *
 * One fiber receives; any number may send, each message whole, in the order of the calls.
 *
 * The function's timeout does not bound a session. It is over, and the client sees the code, when
 *   the handler returns            1000
 *   edge_ws_close is called        the code it was given
 *   the function fails             1008 for a status below 500, else 1011, behind a last message
 *                                  {"event":"error","data":{"error","code","requestId",...}}
 *   the caller's token expires     4401, behind such a message with the code "unauthorized"
 *   ten minutes pass without a message either way: 1000
 *   the host stops                 1001, once half of [server].drain_timeout has passed; see
 * edge_ws_watch_drain a message is longer than the function's max_body: 1009; text that is no UTF-8: 1007 the
 * client closes it           what it said before is still received, then edge_ws_recv returns NULL the client
 * is lost (its connection breaks, two pings stay unanswered, or it takes nothing for [server].write_timeout):
 * the fibers end at once with 499 "client_gone", or with on_disconnect = "finish" edge_ws_recv returns NULL
 * What the handler still does behind that is bounded by the function's timeout, counted from then on; sending
 * to a client that has closed ends the function as a lost client does, and with on_disconnect = "finish", or
 * when the host or the function has closed, has no effect.
 *
 * Memory: a received message is given back by the next edge_ws_recv, and sending takes none of the invocation.
 * Everything else that the handler allocates stays until the session ends, so let a session that lasts do what
 * needs memory (queries, provider calls) in a function of its own, by edge_invoke, and give json_t values back
 * with json_decref.
 */
#ifndef EDGE_WS_H
#define EDGE_WS_H

#include <edge/base.h>

#pragma GCC visibility push(default)

/* One message, put together of its fragments and uncompressed. Valid until the next edge_ws_recv. */
typedef struct edge_ws_message {
    const char *data; /* never NULL; a NUL follows the last byte */
    size_t length;    /* bytes, at most the function's max_body; 0 is a message, too */
    bool binary;      /* else text, and UTF-8 */
} edge_ws_message;

/*
 * Parks until the client has sent a message, and returns it. timeout_ms is in milliseconds; 0: as long as the
 * session lasts. While the function does not receive, at most 64 KiB wait for it; more stay with the client.
 *
 * NULL when there is none: the session is over (edge_ws_open is false), the time has passed, or the host is
 * about to stop and edge_ws_watch_drain has asked for that. Nothing of it is a failure. A second fiber that
 * receives at the same time ends the invocation with 500 "internal_error".
 */
edge_ws_message *edge_ws_recv(edge_ctx *ctx, int64_t timeout_ms);

/*
 * The message that was received last as JSON, NULL when it is none or nests deeper than 128 levels. Borrowed,
 * valid until the next edge_ws_recv. Does not park.
 */
json_t *edge_ws_json(edge_ctx *ctx);

/*
 * Sends one message: text (UTF-8, checked: 500 "internal_error"), a value as compact JSON text, or bytes as a
 * binary message. All arguments are borrowed until the call returns. Parks while more than 64 KiB wait for the
 * client, until it has taken most of them.
 */
void edge_ws_send_text(edge_ctx *ctx, const char *text);
void edge_ws_send_json(edge_ctx *ctx, const json_t *value);
void edge_ws_send_bytes(edge_ctx *ctx, const void *data, size_t length);

/*
 * Closes the session behind what has been sent. code is 1000..1003, 1007..1014 or 3000..4999 (RFC 6455 7.4),
 * any other ends the invocation with 500 "internal_error"; reason is text for the client (NULL: none), cut to
 * 123 bytes. Does not park, and the function goes on; edge_ws_recv returns NULL from now on. A session that is
 * over stays as it is.
 */
void edge_ws_close(edge_ctx *ctx, int code, const char *reason);

/* False once the session is over, whoever ended it; messages that came before may still be received. */
bool edge_ws_open(edge_ctx *ctx);

/*
 * Close code and reason that ended the session: the client's (1005 when it gave none, 1006 when it was lost),
 * the host's or the function's own. While the session is open 0 and "".
 */
int edge_ws_close_code(edge_ctx *ctx);
EDGE_RETURNS_NONNULL const char *edge_ws_close_reason(edge_ctx *ctx);

/* The subprotocol agreed on: the first of the descriptor's .subprotocols that the client offers; else NULL. */
const char *edge_ws_subprotocol(edge_ctx *ctx);

/*
 * From now on edge_ws_recv returns NULL, once, when the host is about to stop (edge_ws_draining), so that the
 * function can say what is to be said; what it sends still goes out, and it may go on receiving. When it
 * returns, or half of [server].drain_timeout has passed, the session is closed with 1001. Without this call
 * the function learns of a stop by that close.
 */
void edge_ws_watch_drain(edge_ctx *ctx);
bool edge_ws_draining(edge_ctx *ctx);

#pragma GCC visibility pop

#endif
