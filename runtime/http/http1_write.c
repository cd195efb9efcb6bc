/*
 * HTTP/1.1 answers: status line, headers and a body that is there already leave in one system call (two cost
 * 2 µs more; design.md 2).
 */
#include "http1_write.h"

#include "connection.h"

#include "base/decimal.h"

#include <http_parser.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEEP_ALIVE_COMMENT_MS = 15000,
    COPIED_BODY_MAX = 4096
};

/* The worker's one buffer for heads and the bodies behind them; used up before anything else can run. */
static struct {
    char *text;
    size_t length, capacity;
} head;

/* Makes room for more; false when memory is short. */
static bool head_room(size_t more)
{
    if (head.length + more <= head.capacity)
        return true;
    size_t capacity = head.capacity == 0 ? 4096 : head.capacity * 2;
    while (capacity < head.length + more)
        capacity *= 2;
    char *grown = realloc(head.text, capacity);
    if (grown == NULL)
        return false;
    head.text = grown;
    head.capacity = capacity;
    return true;
}

static bool head_put(const void *bytes, size_t length)
{
    if (!head_room(length))
        return false;
    memcpy(head.text + head.length, bytes, length);
    head.length += length;
    return true;
}

static bool head_put_line(const char *name, const char *value)
{
    size_t name_length = strlen(name), value_length = strlen(value);
    if (!head_room(name_length + value_length + 4))
        return false;
    char *at = head.text + head.length;
    at = mempcpy(at, name, name_length);
    at = mempcpy(at, ": ", 2);
    at = mempcpy(at, value, value_length);
    at = mempcpy(at, "\r\n", 2);
    head.length = (size_t)(at - head.text);
    return true;
}

static const char *reason_phrase(int status)
{
    const char *reason = http_status_str((enum http_status)status);
    return strcmp(reason, "<unknown>") == 0 ? "" : reason;
}

static bool head_put_status(int status)
{
    const char digits[] = { (char)('0' + status / 100 % 10), (char)('0' + status / 10 % 10),
        (char)('0' + status % 10), ' ' };
    const char *reason = reason_phrase(status);
    return head_put("HTTP/1.1 ", 9) && head_put(digits, sizeof digits) && head_put(reason, strlen(reason)) &&
           head_put("\r\n", 2);
}

static bool head_put_length(int64_t length)
{
    char number[DECIMAL_SIZE + 1] = "";
    const char *at = decimal_before(number + DECIMAL_SIZE, length);
    return head_put_line("content-length", at);
}

/* A piecewise answer to an HTTP/1.0 client ends with the connection. */
static bool head_put_framing(const struct exchange *exchange, int64_t length)
{
    bool ok = true;
    if (exchange->status != 304) /* which has no body, whatever is said of its length (RFC 9110 8.6) */
        ok = length >= 0 ? head_put_length(length)
                         : !exchange->chunks || head_put_line("transfer-encoding", "chunked");
    return ok && (exchange->keep_alive || head_put_line("connection", "close"));
}

static bool compose_head(
    const struct exchange *exchange, int status, const edge_header *headers, int64_t length)
{
    head.length = 0;
    bool ok = head_put_status(status);
    for (; headers->name != NULL; headers++)
        ok = ok && head_put_line(headers->name, headers->value);
    return ok && head_put_framing(exchange, length) && head_put("\r\n", 2);
}

static void send_head(struct exchange *exchange, int status, const edge_header *headers, int64_t length,
    const void *body, size_t body_length)
{
    if (exchange->server->draining || (length < 0 && !exchange->chunks))
        exchange->keep_alive = false;
    bool ok = compose_head(exchange, status, headers, length);
    if (strcmp(exchange->method, "HEAD") == 0)
        body_length = 0;
    /* Copying a small body costs less than what the kernel takes for a second piece: 0.2 µs. */
    bool copied = body_length > 0 && body_length <= COPIED_BODY_MAX;
    ok = ok && (!copied || head_put(body, body_length));
    if (!ok) {
        connection_close(exchange->connection);
        return;
    }

    struct iovec pieces[] = { { head.text, head.length }, { (void *)body, copied ? 0 : body_length } };
    exchange->bytes_out += head.length + pieces[1].iov_len;
    connection_write(exchange->connection, pieces, pieces[1].iov_len > 0 ? 2 : 1);
    if (exchange->event_stream)
        deadline_set(&exchange->connection->deadline, KEEP_ALIVE_COMMENT_MS);
}

static size_t send_data(struct exchange *exchange, const void *data, size_t length)
{
    struct connection *connection = exchange->connection;
    char size[24];
    int digits = snprintf(size, sizeof size, "%zx\r\n", length);
    struct iovec pieces[] = { { size, (size_t)digits }, { (void *)data, length }, { "\r\n", 2 } };
    if (length == 0 || strcmp(exchange->method, "HEAD") == 0)
        return connection_queued(connection);
    if (exchange->chunks)
        connection_write(connection, pieces, 3);
    else
        connection_write(connection, pieces + 1, 1);
    exchange->bytes_out += length;
    if (exchange->event_stream)
        deadline_set(&connection->deadline, KEEP_ALIVE_COMMENT_MS);
    return connection_queued(connection);
}

/* For pieces of a body whose length was announced. */
static size_t send_known(struct exchange *exchange, const void *data, size_t length)
{
    struct iovec piece = { (void *)data, length };
    if (length == 0 || strcmp(exchange->method, "HEAD") == 0)
        return connection_queued(exchange->connection);
    exchange->bytes_out += length;
    connection_write(exchange->connection, &piece, 1);
    return connection_queued(exchange->connection);
}

static void send_end(struct exchange *exchange)
{
    struct connection *connection = exchange->connection;
    if (exchange->piecewise && exchange->chunks && strcmp(exchange->method, "HEAD") != 0)
        connection_write(connection, &(struct iovec){ "0\r\n\r\n", 5 }, 1);
    http1_exchange_ended(connection);
}

static void send_abort(struct exchange *exchange)
{
    connection_close(exchange->connection);
}

static size_t send_piece(struct exchange *exchange, const void *data, size_t length)
{
    return exchange->piecewise ? send_data(exchange, data, length) : send_known(exchange, data, length);
}

static ssize_t send_file(struct exchange *exchange, int fd, int64_t offset, size_t length)
{
    if (exchange->piecewise || exchange->connection->tls != NULL)
        return -ENOTSUP;
    off_t at = (off_t)offset;
    ssize_t sent = connection_send_file(exchange->connection, fd, &at, length);
    exchange->bytes_out += sent > 0 ? (size_t)sent : 0;
    return sent >= 0 ? sent : (ssize_t)length; /* it closes: the client takes everything and nothing */
}

const struct exchange_ops http1_ops = {
    .head = send_head,
    .data = send_piece,
    .file = send_file,
    .end = send_end,
    .abort = send_abort,
};

void http1_send_continue(struct exchange *exchange)
{
    static char text[] = "HTTP/1.1 100 Continue\r\n\r\n";
    connection_write(exchange->connection, &(struct iovec){ text, sizeof text - 1 }, 1);
}

void http1_send_comment(struct exchange *exchange)
{
    static const char comment[] = ": keep-alive\n\n";
    send_piece(exchange, comment, sizeof comment - 1);
}
