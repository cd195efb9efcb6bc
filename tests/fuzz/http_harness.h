/*
 * A server without a worker behind it: connections on socket pairs, every request answered at once with what
 * its head said. For the HTTP fuzz targets.
 */
#ifndef FUZZ_HTTP_HARNESS_H
#define FUZZ_HTTP_HARNESS_H

#include <http/connection.h>
#include <http/exchange.h>
#include <http/respond.h>
#include <http/server.h>

#include <fiber.h>

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct http_server fuzz_server;
static size_t fuzz_requests;

static void fuzz_head(struct exchange *exchange)
{
    if (exchange->target[0] == '\0' || exchange->path_length > strlen(exchange->target))
        abort();
    if (strncmp(exchange->target, "/refuse", 7) == 0)
        exchange->refused =
            (struct refusal){ .status = 405, .code = "refused", .message = "No", .allow = "GET" };
}

static void fuzz_dispatch(struct exchange *exchange)
{
    fuzz_requests++;
    for (size_t i = 0; i < exchange->header_count; i++)
        if (strchr(exchange->head + exchange->headers[2 * i], ' ') != NULL ||
            exchange->headers[2 * i + 1] > exchange->head_length)
            abort(); /* no header's name has a blank, every value lies in the head */
    if (exchange->body.length > exchange->body.limit)
        abort();
    if (exchange->refused.status != 0)
        respond_refusal(exchange);
    else if (strncmp(exchange->target, "/stream", 7) == 0) {
        respond_head(
            exchange, &(struct answer){ .status = 200, .media_type = "text/event-stream" }, -1, NULL, 0);
        exchange->ops->data(exchange, "data: 1\n\n", 9);
        exchange->ops->end(exchange);
    } else
        respond_json(exchange, &(struct answer){ .status = 200, .media_type = "application/json" }, "{}", 2);
}

static void fuzz_start(void)
{
    static const char *origins[] = { "*", NULL };
    static struct config config = {
        .server = { .header_timeout_ms = 60000,
            .body_timeout_ms = 60000,
            .idle_timeout_ms = 60000,
            .write_timeout_ms = 60000,
            .max_url_bytes = 512,
            .max_header_bytes = 2048,
            .max_body_bytes = 4096,
            .body_memory_bytes = 1024,
            .max_connections = 16,
            .spool = "/tmp",
            .cors_origins = origins },
    };
    if (fuzz_server.loop != NULL)
        return;
    struct ev_loop *loop = ev_default_loop(0);
    fiber_system_start(loop, 65536);
    deadline_system_start(loop);
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
        abort();
    fuzz_server.head = fuzz_head;
    fuzz_server.dispatch = fuzz_dispatch;
    if (http_server_start(&fuzz_server, loop, &config, pair[0]) < 0)
        abort();
    ev_io_stop(loop, &fuzz_server.acceptor);
}

/* Opens a connection, feeds it the bytes in pieces whose lengths the first byte decides, and closes it. */
static void fuzz_feed(void (*open)(struct connection *connection), const uint8_t *data, size_t size)
{
    int pair[2];
    if (size == 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) < 0)
        return;
    connection_open(&fuzz_server, pair[0], "127.0.0.1");
    struct connection *connection = fuzz_server.connections;
    if (open != NULL) {
        connection->protocol->closed(connection);
        open(connection);
    }

    size_t piece = data[0] == 0 ? size : data[0];
    for (size_t at = 1; at < size && fuzz_server.connections != NULL; at += piece) {
        size_t length = size - at < piece ? size - at : piece;
        if (connection->state != CONNECTION_OPEN)
            break;
        char *copy = malloc(length); /* so that reading past a piece is seen */
        memcpy(copy, data + at, length);
        connection_deliver(connection, copy, length);
        free(copy);
        char drain[4096];
        while (read(pair[1], drain, sizeof drain) > 0)
            ;
    }
    if (fuzz_server.connections != NULL)
        connection_close(fuzz_server.connections);
    ev_run(fuzz_server.loop, EVRUN_NOWAIT);
    close(pair[1]);
    if (fuzz_server.connection_count != 0 || fuzz_server.exchange_count != 0)
        abort();
}

#endif
