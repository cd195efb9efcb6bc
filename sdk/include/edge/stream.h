/*
 * Answers in pieces: server-sent events and raw chunks. A reader that is slower than the function parks it,
 * so memory stays bounded; a reader that left ends the invocation (unless on_disconnect = "finish").
 *
 * The first event sends status 200 and the headers; a failure before it is an ordinary JSON error, one after
 * it becomes the last event, "error". Over a WebSocket the same calls send messages (spec: one JSON object
 * {"event","id","data"} a message), so a function streams over both without knowing. Several fibers of a
 * function may send; each event and each piece goes out whole, in the order of the calls.
 */
#ifndef EDGE_STREAM_H
#define EDGE_STREAM_H

#include <edge/base.h>

#pragma GCC visibility push(default)

/*
 * Sends one server-sent event: event NULL is an unnamed one, data goes out as compact JSON on one line.
 * Comment lines (": keep-alive") are sent by themselves after 15 s of silence. data is borrowed: a long
 * stream builds its event once and changes it, or drops each with json_decref, and so stays small.
 */
void edge_stream_event(edge_ctx *ctx, const char *event, const json_t *data);

/* Starts a chunked answer of the given media type; edge_stream_bytes sends its pieces. */
void edge_stream_begin(edge_ctx *ctx, int status, const char *media_type);
void edge_stream_bytes(edge_ctx *ctx, const void *data, size_t length);

/* Breaks the client's connection off without finishing the answer, and ends the invocation. */
EDGE_NORETURN void edge_stream_abort(edge_ctx *ctx);

/* True once the status line of a stream has been handed to the client. */
bool edge_stream_started(edge_ctx *ctx);

/* True once the client has left; only a function with on_disconnect = "finish" is still running then. */
bool edge_client_gone(edge_ctx *ctx);

#pragma GCC visibility pop

#endif
