/*
 * The request as it came in. Header names are compared ignoring case; values are as received, trimmed. Nothing
 * here parks the fiber.
 *
 * A JSON body needs no call: the input table reads it (function.h). A function with .raw_body reads its body
 * by itself, as bytes or as the parts of a form. A body of any size may come (functions.toml max_body): a large
 * one lies in a file that is mapped, so that reading it takes no memory of the invocation.
 *
 * All pointers live as long as the invocation. Lists end with { 0 }:
 *
 *     for (const edge_header *query = edge_request_queries(ctx); query->name != NULL; query++)
 */
#ifndef EDGE_REQUEST_H
#define EDGE_REQUEST_H

#include <edge/base.h>
#include <edge/http.h>

#pragma GCC visibility push(default)

EDGE_RETURNS_NONNULL const char *edge_request_method(edge_ctx *ctx); /* "POST" */
EDGE_RETURNS_NONNULL const char *edge_request_path(edge_ctx *ctx);   /* percent-decoded, no query */

/* What of the path lies behind the function's route, "" or "/rest": a wildcard's match. */
EDGE_RETURNS_NONNULL const char *edge_request_rest(edge_ctx *ctx);

/* Value of a {parameter} of the route pattern, percent-decoded; NULL when the pattern has none of that name. */
const char *edge_request_param(edge_ctx *ctx, const char *name);

/*
 * First value of a query parameter, decoded (+ is a blank); NULL when absent. What is not UTF-8 in it becomes
 * U+FFFD; U+0000 anywhere in the query is 400 "invalid_input". x-region's twin is not shown.
 */
const char *edge_request_query(edge_ctx *ctx, const char *name);

/* All query parameters, decoded, in their order; repeated ones stay apart. */
EDGE_RETURNS_NONNULL const edge_header *edge_request_queries(edge_ctx *ctx);

/* Value of a header, NULL when absent; several lines of one name are joined by ", " (RFC 9110 5.3). */
const char *edge_request_header(edge_ctx *ctx, const char *name);

/* All headers in their order, names in lower case; repeated ones stay apart. */
EDGE_RETURNS_NONNULL const edge_header *edge_request_headers(edge_ctx *ctx);

/*
 * First cookie of that name (names are case-sensitive), NULL when absent. Its value is as received, without
 * the quotes around it (RFC 6265 4.2): whoever set it knows how it is encoded.
 */
const char *edge_request_cookie(edge_ctx *ctx, const char *name);

/* All cookies in their order. */
EDGE_RETURNS_NONNULL const edge_header *edge_request_cookies(edge_ctx *ctx);

/*
 * The body's bytes exactly as received (after transfer coding), for signatures. length may be NULL. A body in
 * memory ends with a NUL that is not counted; one in a file need not.
 */
EDGE_RETURNS_NONNULL const void *edge_request_body(edge_ctx *ctx, size_t *length);

/*
 * One part of a multipart/form-data body (RFC 7578). Its bytes lie in the request's body: length of them at
 * data, no NUL behind. When the body lies in a file, they are fd's bytes from offset on as well, to be handed
 * on without being read (http.h: .file_descriptor, .file_offset); fd is the request's, not to be closed. It is
 * -1 when the body is in memory, or the part is empty.
 */
typedef struct edge_part {
    const char *name;
    const char *filename;   /* without directories; "": a file field left empty; NULL: not a file */
    const char *media_type; /* as the client says: not to be trusted. "text/plain" when it says nothing */
    const void *data;
    size_t length;
    int fd;
    int64_t offset;
} edge_part;

/* True when the body is multipart/form-data, for functions that take JSON or CSV as well. */
bool edge_request_has_parts(edge_ctx *ctx);

/*
 * First part of that name, NULL when there is none; all parts in their order.
 *
 * The first of these calls finds all parts. A body that is no multipart/form-data ends the invocation with 415
 * "unsupported_media_type"; a malformed one, more than 256 parts, or a part whose header is longer than 8 KiB
 * or 16 lines, has no name, or is not UTF-8, with 400 "invalid_input".
 *
 *     const edge_part *file = edge_request_part(ctx, "file");
 *     if (file == NULL || file->filename == NULL)
 *         edge_fail_with(ctx, 400, "invalid_input", .field = "file", .message = "file is required");
 */
const edge_part *edge_request_part(edge_ctx *ctx, const char *name);
EDGE_RETURNS_NONNULL const edge_part *edge_request_parts(edge_ctx *ctx, size_t *count);

/* A part's bytes as a string; 400 "invalid_input" naming the part when they are not UTF-8 or hold U+0000. */
EDGE_RETURNS_NONNULL const char *edge_part_text(edge_ctx *ctx, const edge_part *part);

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
