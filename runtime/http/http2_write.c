/*
 * HTTP/2 answers; see http2_write.h.
 */
#include "http2_write.h"

#include "connection.h"

#include <context.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CONNECTION_QUEUE_MAX = 128 * 1024,
    HEADERS_MAX = 96,
    KEEP_ALIVE_COMMENT_MS = 15000
};

/*
 * Fibers run before the loop blocks, as this does: one that sends then, or is woken here, is too late for this
 * turn. Without another turn at once each piece of a long answer waits for the next event: 0.3 MB/s measured.
 */
static void send_later(struct ev_loop *loop, ev_prepare *watcher, int events)
{
    (void)events;
    struct connection *connection = watcher->data;
    struct http2 *http2 = connection->session;
    ev_prepare_stop(loop, watcher);
    ev_idle_stop(loop, &http2->keep_turning);
    http2->woke_writer = false;
    http2_send(connection);
    if (http2->woke_writer)
        ev_idle_start(loop, &http2->keep_turning);
}

static void idle_turn(struct ev_loop *loop, ev_idle *watcher, int events)
{
    (void)events;
    ev_idle_stop(loop, watcher);
}

void http2_init(struct http2 *http2, struct connection *connection)
{
    ev_prepare_init(&http2->before_block, send_later);
    http2->before_block.data = connection;
    ev_idle_init(&http2->keep_turning, idle_turn);
}

void http2_link(struct http2_stream *stream)
{
    struct http2 *http2 = stream->connection->session;
    stream->next = http2->streams;
    if (stream->next != NULL)
        stream->next->previous = stream;
    http2->streams = stream;
}

void http2_stream_free(struct http2_stream *stream)
{
    struct http2 *http2 = stream->connection->session;
    if (stream->previous != NULL)
        stream->previous->next = stream->next;
    else
        http2->streams = stream->next;
    if (stream->next != NULL)
        stream->next->previous = stream->previous;
    free(stream->authority);
    free(stream->queue);
    free(stream);
}

void http2_send(struct connection *connection)
{
    struct http2 *http2 = connection->session;
    if (http2->sending)
        return;
    http2->sending = true;
    while (connection_queued(connection) < CONNECTION_QUEUE_MAX && connection->state == CONNECTION_OPEN) {
        const uint8_t *data = NULL;
        ssize_t length = nghttp2_session_mem_send(http2->session, &data);
        if (length <= 0)
            break;
        connection_write(connection, &(struct iovec){ (void *)data, (size_t)length }, 1);
    }
    http2->sending = false;
}

/* A fiber's stack is not for nghttp2: the loop sends before it blocks. */
static void schedule(struct http2_stream *stream)
{
    struct http2 *http2 = stream->connection->session;
    ev_prepare_start(stream->connection->server->loop, &http2->before_block);
    ev_idle_start(stream->connection->server->loop, &http2->keep_turning);
}

void http2_check_idle(struct connection *connection)
{
    struct http2 *http2 = connection->session;
    if (http2 == NULL || http2->streams != NULL || connection->state != CONNECTION_OPEN)
        return;
    if (connection->server->draining)
        connection_finish(connection, false);
    else
        deadline_set(&connection->deadline, connection->server->config->server.idle_timeout_ms);
}

static size_t queued(const struct http2_stream *stream)
{
    return stream->queue_length - stream->queue_sent;
}

static bool enqueue(struct http2_stream *stream, const void *data, size_t length)
{
    if (stream->queue_sent > 0) {
        memmove(stream->queue, stream->queue + stream->queue_sent, queued(stream));
        stream->queue_length -= stream->queue_sent;
        stream->queue_sent = 0;
    }
    if (stream->queue_length + length > stream->queue_capacity) {
        size_t capacity = stream->queue_capacity == 0 ? 1024 : stream->queue_capacity;
        while (capacity < stream->queue_length + length)
            capacity *= 2;
        char *queue = realloc(stream->queue, capacity);
        if (queue == NULL)
            return false;
        stream->queue = queue;
        stream->queue_capacity = capacity;
    }
    memcpy(stream->queue + stream->queue_length, data, length);
    stream->queue_length += length;
    return true;
}

/* nghttp2 fetches what the peer's window lets through. */
static ssize_t read_answer(nghttp2_session *session, int32_t id, uint8_t *buffer, size_t size, uint32_t *flags,
    nghttp2_data_source *source, void *user)
{
    (void)session, (void)id, (void)user;
    struct http2_stream *stream = source->ptr;
    size_t taken = queued(stream) < size ? queued(stream) : size;
    if (taken > 0)
        memcpy(buffer, stream->queue + stream->queue_sent, taken);
    stream->queue_sent += taken;
    if (queued(stream) == 0 && stream->ended)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    stream->waiting = taken == 0 && !stream->ended;
    if (queued(stream) <= STREAM_LOW_WATER && stream->exchange != NULL && stream->exchange->ctx != NULL) {
        struct http2 *http2 = stream->connection->session;
        http2->woke_writer = true;
        context_writable(stream->exchange->ctx);
    }
    return stream->waiting ? NGHTTP2_ERR_DEFERRED : (ssize_t)taken;
}

/* Headers that belong to one connection have no place in HTTP/2 (RFC 9113 8.2.2). */
static size_t make_headers(nghttp2_nv out[HEADERS_MAX], const edge_header *headers, char *status, char *length)
{
    size_t count = 0;
    out[count++] =
        (nghttp2_nv){ (uint8_t *)":status", (uint8_t *)status, 7, strlen(status), NGHTTP2_NV_FLAG_NONE };
    for (; headers->name != NULL && count + 1 < HEADERS_MAX; headers++)
        out[count++] = (nghttp2_nv){ (uint8_t *)headers->name, (uint8_t *)headers->value, strlen(headers->name),
            strlen(headers->value), NGHTTP2_NV_FLAG_NONE };
    if (length[0] != '\0')
        out[count++] = (nghttp2_nv){ (uint8_t *)"content-length", (uint8_t *)length, 14, strlen(length),
            NGHTTP2_NV_FLAG_NONE };
    return count;
}

struct submission {
    struct http2_stream *stream;
    const edge_header *headers;
    int status;
    int64_t length;
    bool bodiless;
};

static void submit(void *arg)
{
    const struct submission *submission = arg;
    struct http2_stream *stream = submission->stream;
    struct http2 *http2 = stream->connection->session;
    nghttp2_nv headers[HEADERS_MAX];
    char status[16], length[24] = "";
    snprintf(status, sizeof status, "%d", submission->status);
    if (submission->length >= 0)
        snprintf(length, sizeof length, "%lld", (long long)submission->length);
    size_t count = make_headers(headers, submission->headers, status, length);
    nghttp2_data_provider provider = { .source.ptr = stream, .read_callback = read_answer };
    nghttp2_submit_response(
        http2->session, stream->id, headers, count, submission->bodiless ? NULL : &provider);
}

static void send_head(struct exchange *exchange, int status, const edge_header *headers, int64_t length,
    const void *body, size_t body_length)
{
    struct http2_stream *stream = exchange->stream;
    bool head_only = strcmp(exchange->method, "HEAD") == 0 || status == 304;
    if (body_length > 0 && !head_only && !enqueue(stream, body, body_length)) {
        exchange->ops->abort(exchange);
        return;
    }
    exchange->bytes_out += body_length;
    struct submission submission = { stream, headers, status, status == 304 ? -1 : length, head_only };
    fiber_on_loop(submit, &submission);
    if (exchange->event_stream)
        deadline_set(&exchange->connection->deadline, KEEP_ALIVE_COMMENT_MS);
    schedule(stream);
}

static void resume(void *arg)
{
    struct http2_stream *stream = arg;
    struct http2 *http2 = stream->connection->session;
    stream->waiting = false;
    nghttp2_session_resume_data(http2->session, stream->id);
}

static size_t send_data(struct exchange *exchange, const void *data, size_t length)
{
    struct http2_stream *stream = exchange->stream;
    if (strcmp(exchange->method, "HEAD") == 0 || !enqueue(stream, data, length))
        return queued(stream);
    exchange->bytes_out += length;
    if (stream->waiting)
        fiber_on_loop(resume, stream);
    if (exchange->event_stream)
        deadline_set(&exchange->connection->deadline, KEEP_ALIVE_COMMENT_MS);
    schedule(stream);
    return queued(stream);
}

/*
 * The answer is complete. The stream lives on until its last byte has left.
 */
static void send_end(struct exchange *exchange)
{
    struct http2_stream *stream = exchange->stream;
    stream->ended = true;
    stream->exchange = NULL;
    if (stream->waiting)
        fiber_on_loop(resume, stream);
    stream->drop_rest = !exchange->body_complete;
    schedule(stream);
    exchange_detach(exchange, false);
}

static void send_abort(struct exchange *exchange)
{
    struct http2_stream *stream = exchange->stream;
    struct http2 *http2 = stream->connection->session;
    nghttp2_submit_rst_stream(http2->session, NGHTTP2_FLAG_NONE, stream->id, NGHTTP2_INTERNAL_ERROR);
    schedule(stream);
}

const struct exchange_ops http2_ops = {
    .head = send_head,
    .data = send_data,
    .end = send_end,
    .abort = send_abort,
};

void http2_keep_alive(struct connection *connection)
{
    static const char comment[] = ": keep-alive\n\n";
    struct http2 *http2 = connection->session;
    for (struct http2_stream *stream = http2->streams; stream != NULL; stream = stream->next)
        if (stream->exchange != NULL && stream->exchange->event_stream)
            send_data(stream->exchange, comment, sizeof comment - 1);
}
