/*
 * The request as it came in. Header names are compared ignoring case; values are as received, trimmed.
 * All pointers live as long as the invocation.
 */
#ifndef EDGE_REQUEST_H
#define EDGE_REQUEST_H

#include <edge/base.h>

#pragma GCC visibility push(default)

EDGE_RETURNS_NONNULL const char *edge_request_method(edge_ctx *ctx); /* "POST" */
EDGE_RETURNS_NONNULL const char *edge_request_path(edge_ctx *ctx);   /* percent-decoded, no query */

/* What of the path lies behind the function's route, "" or "/rest": a wildcard's match. */
EDGE_RETURNS_NONNULL const char *edge_request_rest(edge_ctx *ctx);

/* Value of a {parameter} of the route pattern, percent-decoded; NULL when the pattern has none of that name. */
const char *edge_request_param(edge_ctx *ctx, const char *name);

/* First value of a query parameter, decoded (+ is a blank); NULL when absent. x-region's twin is not shown. */
const char *edge_request_query(edge_ctx *ctx, const char *name);

/* Value of a header, NULL when absent; several lines of one name are joined by ", " (RFC 9110 5.3). */
const char *edge_request_header(edge_ctx *ctx, const char *name);

/* The body's bytes exactly as received (after transfer coding), for signatures. Large ones are file-backed. */
EDGE_RETURNS_NONNULL const void *edge_request_body(edge_ctx *ctx, size_t *length);

/* The caller's address: the peer's, or what a trusted proxy forwarded (functions.toml trusted_proxies). */
EDGE_RETURNS_NONNULL const char *edge_request_ip(edge_ctx *ctx);

/* Scheme and authority the client used, as "https://api.example.com". */
EDGE_RETURNS_NONNULL const char *edge_request_origin(edge_ctx *ctx);

/* True when the request came as a message of a WebSocket. */
bool edge_request_websocket(edge_ctx *ctx);

/* True when the client wants a stream: Accept names text/event-stream, the body says "stream": true, or a
 * WebSocket. */
bool edge_request_wants_stream(edge_ctx *ctx, json_t *in);

#pragma GCC visibility pop

#endif
