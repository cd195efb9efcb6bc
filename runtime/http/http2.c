/*
 * HTTP/2; see http2.h. nghttp2 frames, compresses headers and keeps the windows; here streams become exchanges.
 *
 * nghttp2 is never called from a fiber: an answer is queued in its stream, and the session sends in the loop's
 * next turn (or at once when the loop itself is running). What a stream may queue is bounded by its window and
 * the SDK's high-water mark.
 */
#include "http2.h"

#include "connection.h"
#include "exchange.h"
#include "http2_write.h"
#include "respond.h"

#include <context.h>

#include <stdlib.h>
#include <string.h>

enum {
    STREAMS_MAX = 128,
    WINDOW_BYTES = 256 * 1024,
    RATE_BYTES = 64 * 1024
};

static struct exchange *exchange_of(nghttp2_session *session, int32_t id)
{
    struct http2_stream *stream = nghttp2_session_get_stream_user_data(session, id);
    return stream != NULL ? stream->exchange : NULL;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct connection *connection = user;
    if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    struct http2_stream *stream = calloc(1, sizeof *stream);
    struct exchange *exchange = stream != NULL ? exchange_create(connection, &http2_ops) : NULL;
    if (exchange == NULL) {
        free(stream);
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    *stream =
        (struct http2_stream){ .exchange = exchange, .connection = connection, .id = frame->hd.stream_id };
    exchange->stream = stream;
    exchange->method = "";
    exchange->keep_alive = exchange->chunks = true;
    http2_link(stream);
    deadline_set(&connection->deadline, connection->server->config->server.header_timeout_ms);
    nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, stream);
    return 0;
}

/* The methods there are; a stream's method outlives its header block. */
static const char *method_name(const uint8_t *value, size_t length)
{
    static const char *const known[] = { "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", NULL };
    for (const char *const *method = known; *method != NULL; method++)
        if (strlen(*method) == length && memcmp(*method, value, length) == 0)
            return *method;
    return "UNKNOWN";
}

/*
 * Pseudo-headers come first (nghttp2 sees to it) in any order: the target must be the first thing in the
 * exchange's head, so the others wait in the stream.
 */
static bool take_header(struct http2_stream *stream, const uint8_t *name, size_t name_length,
    const uint8_t *value, size_t value_length)
{
    struct exchange *exchange = stream->exchange;
    if (name_length == 5 && memcmp(name, ":path", 5) == 0)
        return exchange_add_target(exchange, (const char *)value, value_length);
    if (name_length == 7 && memcmp(name, ":method", 7) == 0) {
        exchange->method = method_name(value, value_length);
        return true;
    }
    if (name_length == 10 && memcmp(name, ":authority", 10) == 0) {
        free(stream->authority);
        stream->authority = strndup((const char *)value, value_length);
        return stream->authority != NULL;
    }
    if (name[0] == ':')
        return true;
    return exchange_add_name(exchange, (const char *)name, name_length) &&
           exchange_add_value(exchange, (const char *)value, value_length);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
    size_t name_length, const uint8_t *value, size_t value_length, uint8_t flags, void *user)
{
    (void)flags, (void)user;
    struct http2_stream *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (stream == NULL || stream->exchange == NULL || stream->exchange->refused.status != 0)
        return 0;
    struct exchange *exchange = stream->exchange;
    if (take_header(stream, name, name_length, value, value_length))
        return 0;
    if (exchange->url_too_large)
        exchange->refused = (struct refusal){
            .status = 414, .code = "uri_too_long", .message = "The request target is longer than its limit"
        };
    else if (exchange->head_too_large)
        exchange->refused = (struct refusal){ .status = 431,
            .code = "headers_too_large",
            .message = "The request headers are larger than their limit" };
    else
        exchange->refused =
            (struct refusal){ .status = 400, .code = "bad_request", .message = "The request is malformed" };
    return 0;
}

static void head_complete(struct http2_stream *stream)
{
    struct exchange *exchange = stream->exchange;
    if (exchange->refused.status != 0 || exchange->head_done)
        return;
    if (stream->authority != NULL && exchange_header(exchange, "host") == NULL) {
        exchange_add_name(exchange, "host", 4);
        exchange_add_value(exchange, stream->authority, strlen(stream->authority));
    }
    const char *length = exchange_header(exchange, "content-length");
    exchange->content_length = length != NULL ? strtoll(length, NULL, 10) : -1;
    exchange_head_complete(exchange);
    if (exchange->refused.status == 0 && exchange->content_length > (int64_t)exchange->body.limit)
        exchange->refused = (struct refusal){
            .status = 413, .code = "body_too_large", .message = "The request body is larger than its limit"
        };
}

static void dispatch(struct http2_stream *stream)
{
    if (stream->dispatched)
        return;
    stream->dispatched = true;
    exchange_dispatch(stream->exchange);
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    (void)user;
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
        return 0;
    struct http2_stream *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (stream == NULL || stream->exchange == NULL)
        return 0;
    if (frame->hd.type == NGHTTP2_HEADERS) {
        head_complete(stream);
        deadline_set(&stream->connection->deadline, stream->connection->server->config->server.body_timeout_ms);
    }
    bool ended = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    stream->exchange->body_complete = ended;
    if (ended || stream->exchange->refused.status != 0)
        dispatch(stream);
    return 0;
}

static int on_data(
    nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data, size_t length, void *user)
{
    (void)flags, (void)user;
    struct http2_stream *stream = nghttp2_session_get_stream_user_data(session, id);
    if (stream == NULL || stream->dispatched)
        return 0;
    stream->body_since += length;
    if (stream->body_since >= RATE_BYTES) {
        stream->body_since = 0;
        deadline_set(&stream->connection->deadline, stream->connection->server->config->server.body_timeout_ms);
    }
    if (!exchange_add_body(stream->exchange, (const char *)data, length))
        dispatch(stream); /* 413 or a full disk: answered without waiting for the rest */
    return 0;
}

/* The answer has left while the request still comes: the rest is not wanted (RFC 9113 8.1). */
static int on_sent(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    (void)user;
    bool ended = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if ((frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS) || !ended)
        return 0;
    struct http2_stream *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (stream != NULL && stream->drop_rest)
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_NO_ERROR);
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error, void *user)
{
    (void)error, (void)user;
    struct http2_stream *stream = nghttp2_session_get_stream_user_data(session, id);
    struct exchange *exchange = exchange_of(session, id);
    nghttp2_session_set_stream_user_data(session, id, NULL);
    if (stream == NULL)
        return 0;
    struct connection *connection = stream->connection;
    http2_stream_free(stream);
    if (exchange != NULL)
        exchange_detach(exchange, true);
    http2_check_idle(connection);
    return 0;
}

static size_t http2_input(struct connection *connection, const char *data, size_t length)
{
    struct http2 *http2 = connection->session;
    ssize_t used = nghttp2_session_mem_recv(http2->session, (const uint8_t *)data, length);
    if (used < 0) {
        connection_close(connection);
        return length;
    }
    http2_send(connection);
    if (!nghttp2_session_want_read(http2->session) && !nghttp2_session_want_write(http2->session))
        connection_finish(connection, false);
    return length;
}

/* Requests that have not arrived in time are refused; what is being answered stays. */
static void refuse_slow(struct http2 *http2)
{
    struct http2_stream *next = NULL;
    for (struct http2_stream *stream = http2->streams; stream != NULL; stream = next) {
        next = stream->next;
        if (stream->dispatched || stream->exchange == NULL)
            continue;
        stream->exchange->refused = (struct refusal){
            .status = 408, .code = "request_timeout", .message = "The request did not arrive in time"
        };
        stream->exchange->body_error = 0;
        dispatch(stream);
    }
}

static void http2_timed_out(struct connection *connection)
{
    struct http2 *http2 = connection->session;
    if (http2->streams != NULL) {
        refuse_slow(http2);
        http2_keep_alive(connection);
        return;
    }
    nghttp2_session_terminate_session(http2->session, NGHTTP2_NO_ERROR);
    http2_send(connection);
    connection_finish(connection, false);
}

static void http2_closed(struct connection *connection)
{
    struct http2 *http2 = connection->session;
    ev_prepare_stop(connection->server->loop, &http2->before_block);
    ev_idle_stop(connection->server->loop, &http2->keep_turning);
    while (http2->streams != NULL) {
        struct http2_stream *stream = http2->streams;
        struct exchange *exchange = stream->exchange;
        http2_stream_free(stream);
        if (exchange != NULL)
            exchange_detach(exchange, true);
    }
    nghttp2_session_del(http2->session);
    free(http2);
    connection->session = NULL;
}

static void http2_drain(struct connection *connection)
{
    struct http2 *http2 = connection->session;
    nghttp2_submit_goaway(http2->session, NGHTTP2_FLAG_NONE,
        nghttp2_session_get_last_proc_stream_id(http2->session), NGHTTP2_NO_ERROR, NULL, 0);
    http2_send(connection);
    http2_check_idle(connection);
}

static nghttp2_session *make_session(struct connection *connection)
{
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_session *session = NULL;
    if (nghttp2_session_callbacks_new(&callbacks) != 0)
        return NULL;
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_server_new(&session, callbacks, connection);
    nghttp2_session_callbacks_del(callbacks);
    return session;
}

void http2_open(struct connection *connection)
{
    static const struct protocol protocol = {
        .input = http2_input,
        .writable = http2_send,
        .timed_out = http2_timed_out,
        .closed = http2_closed,
        .drain = http2_drain,
    };
    struct http2 *http2 = calloc(1, sizeof *http2);
    nghttp2_session *session = http2 != NULL ? make_session(connection) : NULL;
    if (session == NULL) {
        free(http2);
        connection_close(connection);
        return;
    }
    http2->session = session;
    http2_init(http2, connection);
    connection->session = http2;
    connection->protocol = &protocol;

    nghttp2_settings_entry settings[] = {
        { NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, STREAMS_MAX },
        { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, WINDOW_BYTES },
        { NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
            (uint32_t)connection->server->config->server.max_header_bytes },
    };
    nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings, sizeof settings / sizeof settings[0]);
    http2_send(connection);
    deadline_set(&connection->deadline, connection->server->config->server.idle_timeout_ms);
}
