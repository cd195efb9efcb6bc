/*
 * The pump between a TLS connection and libwebsockets; see pump.h.
 */
#include "pump.h"

#include "connection.h"
#include "server.h"

#include <context.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    /* Of each direction in the kernel, which doubles it; its default, 208 KiB, would hide a slow reader. */
    PAIR_BYTES = 32 * 1024
};

struct pump {
    struct connection *connection;
    ev_io readable, writable; /* of our end */
};

static void pump_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)events;
    struct pump *pump = watcher->data;
    struct connection *connection = pump->connection;
    if (connection->state != CONNECTION_OPEN) {
        ev_io_stop(loop, watcher);
        return;
    }
    ssize_t got = recv(watcher->fd, connection->server->buffer, READ_BUFFER, 0);
    if (got > 0) {
        connection_write(connection, &(struct iovec){ connection->server->buffer, (size_t)got }, 1);
        if (connection_queued(connection) > STREAM_HIGH_WATER)
            ev_io_stop(loop, watcher);
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        ev_io_stop(loop, watcher);
        connection_finish(connection, false);
    }
}

static void pump_writable(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)events;
    struct pump *pump = watcher->data;
    ev_io_stop(loop, watcher);
    connection_resume(pump->connection);
}

static size_t pump_input(struct connection *connection, const char *data, size_t length)
{
    struct pump *pump = connection->session;
    ssize_t sent = send(pump->readable.fd, data, length, MSG_NOSIGNAL);
    if (sent >= 0)
        return (size_t)sent;
    if (errno == EAGAIN || errno == EINTR)
        ev_io_start(connection->server->loop, &pump->writable);
    else /* libwebsockets has closed: what it said last is still to be sent */
        connection_finish(connection, false);
    return 0;
}

static void pump_drained(struct connection *connection)
{
    struct pump *pump = connection->session;
    ev_io_start(connection->server->loop, &pump->readable);
}

/* The session has deadlines of its own. */
static void pump_timed_out(struct connection *connection)
{
    (void)connection;
}

static void pump_closed(struct connection *connection)
{
    struct pump *pump = connection->session;
    ev_io_stop(connection->server->loop, &pump->readable);
    ev_io_stop(connection->server->loop, &pump->writable);
    close(pump->readable.fd);
    free(pump);
    connection->session = NULL;
}

/* The session drains, and the pump with it. */
static void pump_drain(struct connection *connection)
{
    (void)connection;
}

static int open_pair(int pair[2])
{
    int bytes = PAIR_BYTES;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    for (int i = 0; i < 2; i++)
        setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
    return 0;
}

int pump_open(struct connection *connection, int *fd)
{
    static const struct protocol protocol = {
        .input = pump_input,
        .writable = pump_drained,
        .timed_out = pump_timed_out,
        .closed = pump_closed,
        .drain = pump_drain,
    };
    int pair[2];
    int result = open_pair(pair);
    if (result < 0)
        return result;
    struct pump *pump = calloc(1, sizeof *pump);
    if (pump == NULL) {
        close(pair[0]);
        close(pair[1]);
        return -ENOMEM;
    }
    pump->connection = connection;
    ev_io_init(&pump->readable, pump_readable, pair[0], EV_READ);
    ev_io_init(&pump->writable, pump_writable, pair[0], EV_WRITE);
    pump->readable.data = pump->writable.data = pump;
    ev_io_start(connection->server->loop, &pump->readable);
    connection->protocol = &protocol;
    connection->session = pump;
    *fd = pair[1];
    return 0;
}
