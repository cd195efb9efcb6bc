/*
 * The answer. A handler returns a JSON value and is done: 200, application/json. These calls are for
 * everything else; each must come before the handler returns, and a handler that answered in full with
 * edge_respond_* returns NULL.
 */
#ifndef EDGE_RESPONSE_H
#define EDGE_RESPONSE_H

#include <edge/base.h>

#pragma GCC visibility push(default)

/* Status of the answer that the handler's return value becomes; 200..599 without 204 and 304. */
void edge_response_status(edge_ctx *ctx, int status);

/* Adds a header. Names that are the host's (content-length, x-relay-error, CORS …) end the invocation, 500. */
void edge_response_header(edge_ctx *ctx, const char *name, const char *value);

/* Answers with bytes of a media type. Binary types go out as application/octet-stream unless Accept names them.
 */
void edge_respond_bytes(edge_ctx *ctx, const char *media_type, const void *data, size_t length);

/* Answers with a redirect, 302 unless status says 301, 303, 307 or 308. */
void edge_respond_redirect(edge_ctx *ctx, int status, const char *location);

#pragma GCC visibility pop

#endif
