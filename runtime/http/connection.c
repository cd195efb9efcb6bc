/*
 * Sockets: reading, writing, closing; see connection.h.
 */
#include "connection.h"

#include "http1.h"
#include "server.h"
#include "tls.h"

#include <context.h>

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    KEPT_MAX = 64 * 1024,
    LINGER_MS = 2000
};

static int fd_of(const struct connection *connection)
{
    return connection->readable.fd;
}

static bool keep(struct connection *connection, const char *data, size_t length)
{
    if (connection->kept_length + length > connection->kept_capacity) {
        size_t capacity = connection->kept_length + length;
        char *kept = realloc(connection->kept, capacity);
        if (kept == NULL)
            return false;
        connection->kept = kept;
        connection->kept_capacity = capacity;
    }
    memcpy(connection->kept + connection->kept_length, data, length);
    connection->kept_length += length;
    return true;
}

static void drop_kept(struct connection *connection, size_t used)
{
    connection->kept_length -= used;
    if (connection->kept_length > 0) {
        memmove(connection->kept, connection->kept + used, connection->kept_length);
        return;
    }
    free(connection->kept);
    connection->kept = NULL;
    connection->kept_capacity = 0;
}

/* A protocol that takes nothing is busy: what comes meanwhile is kept, up to a limit. */
static void pause_when_full(struct connection *connection)
{
    if (connection->state == CONNECTION_CLOSING)
        return;
    if (connection->kept_length >= KEPT_MAX)
        ev_io_stop(connection->server->loop, &connection->readable);
    else if (!ev_is_active(&connection->readable))
        ev_io_start(connection->server->loop, &connection->readable);
}

void connection_resume(struct connection *connection)
{
    if (connection->in_input || connection->state != CONNECTION_OPEN)
        return;
    connection->in_input = true;
    while (connection->kept_length > 0 && connection->state == CONNECTION_OPEN) {
        size_t used = connection->protocol->input(connection, connection->kept, connection->kept_length);
        if (used == 0)
            break;
        drop_kept(connection, used);
    }
    connection->in_input = false;
    pause_when_full(connection);
}

void connection_deliver(struct connection *connection, const char *data, size_t length)
{
    if (connection->kept_length > 0) {
        if (!keep(connection, data, length))
            connection_close(connection);
        else
            connection_resume(connection);
        return;
    }

    connection->in_input = true;
    while (length > 0 && connection->state == CONNECTION_OPEN) {
        size_t used = connection->protocol->input(connection, data, length);
        if (used == 0)
            break;
        data += used;
        length -= used;
    }
    connection->in_input = false;
    if (length > 0 && connection->state == CONNECTION_OPEN && !keep(connection, data, length))
        connection_close(connection);
    pause_when_full(connection);
}

/* Reads what a client still sends after its answer, so that a reset does not take the answer away from it. */
static void read_away(struct connection *connection)
{
    ssize_t got = recv(fd_of(connection), connection->server->buffer, READ_BUFFER, 0);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
        connection_close(connection);
}

static void on_readable(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)loop, (void)events;
    struct connection *connection = watcher->data;
    if (connection->state == CONNECTION_CLOSING)
        return;
    if (connection->state == CONNECTION_LINGER) {
        read_away(connection);
        return;
    }
    if (connection->tls != NULL) {
        tls_readable(connection);
        return;
    }

    ssize_t got = recv(watcher->fd, connection->server->buffer, READ_BUFFER, 0);
    if (got > 0)
        connection_deliver(connection, connection->server->buffer, (size_t)got);
    else if (got == 0 || (errno != EAGAIN && errno != EINTR))
        connection_close(connection);
}

size_t connection_queued(const struct connection *connection)
{
    return connection->queue_length - connection->queue_sent;
}

static bool enqueue(struct connection *connection, const char *data, size_t length)
{
    if (connection->queue_sent > 0 && connection->queue_length + length > connection->queue_capacity) {
        memmove(connection->queue, connection->queue + connection->queue_sent, connection_queued(connection));
        connection->queue_length -= connection->queue_sent;
        connection->queue_sent = 0;
    }
    if (connection->queue_length + length > connection->queue_capacity) {
        size_t capacity = connection->queue_capacity == 0 ? 4096 : connection->queue_capacity;
        while (capacity < connection->queue_length + length)
            capacity *= 2;
        char *queue = realloc(connection->queue, capacity);
        if (queue == NULL)
            return false;
        connection->queue = queue;
        connection->queue_capacity = capacity;
    }
    memcpy(connection->queue + connection->queue_length, data, length);
    connection->queue_length += length;
    return true;
}

static void shut(struct connection *connection)
{
    if (!connection->linger_when_flushed || connection->tls != NULL) {
        connection_close(connection);
        return;
    }
    shutdown(fd_of(connection), SHUT_WR);
    connection->state = CONNECTION_LINGER;
    ev_io_start(connection->server->loop, &connection->readable);
    deadline_set(&connection->deadline, LINGER_MS);
}

static void queue_emptied(struct connection *connection)
{
    free(connection->queue);
    connection->queue = NULL;
    connection->queue_sent = connection->queue_length = connection->queue_capacity = 0;
    ev_io_stop(connection->server->loop, &connection->writable);
    deadline_clear(&connection->stalled);
    if (connection->close_when_flushed && connection->state == CONNECTION_OPEN)
        shut(connection);
}

static ssize_t send_some(struct connection *connection, const char *data, size_t length)
{
    return connection->tls != NULL ? tls_write(connection, data, length)
                                   : send(fd_of(connection), data, length, MSG_NOSIGNAL);
}

/* Sends what the socket takes of the queue. */
static void flush(struct connection *connection)
{
    bool moved = false;
    while (connection_queued(connection) > 0) {
        ssize_t sent =
            send_some(connection, connection->queue + connection->queue_sent, connection_queued(connection));
        if (sent > 0) {
            connection->queue_sent += (size_t)sent;
            moved = true;
            continue;
        }
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && errno != EAGAIN) {
            connection_close(connection);
            return;
        }
        ev_io_start(connection->server->loop, &connection->writable);
        if (moved || connection->stalled.next == NULL)
            deadline_set(&connection->stalled, connection->server->config->server.write_timeout_ms);
        return;
    }
    queue_emptied(connection);
}

static void on_writable(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)loop, (void)events;
    struct connection *connection = watcher->data;
    if (connection->state == CONNECTION_HANDSHAKE) {
        tls_readable(connection);
        return;
    }
    flush(connection);
    if (connection->state == CONNECTION_OPEN && connection_queued(connection) <= STREAM_LOW_WATER)
        connection->protocol->writable(connection);
}

/* The first try of a write to an empty queue; returns how many bytes of the pieces were taken. */
static size_t write_through(struct connection *connection, const struct iovec *pieces, int count)
{
    if (connection->tls != NULL || connection_queued(connection) > 0)
        return 0;
    struct msghdr message = { .msg_iov = (struct iovec *)pieces, .msg_iovlen = (size_t)count };
    ssize_t sent = count == 1 ? send(fd_of(connection), pieces->iov_base, pieces->iov_len, MSG_NOSIGNAL)
                              : sendmsg(fd_of(connection), &message, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR)
        connection_close(connection);
    return sent > 0 ? (size_t)sent : 0;
}

void connection_write(struct connection *connection, const struct iovec *pieces, int count)
{
    if (connection->state != CONNECTION_OPEN)
        return;
    size_t taken = write_through(connection, pieces, count);
    bool rest = false;
    for (int i = 0; i < count && connection->state == CONNECTION_OPEN; i++) {
        if (taken >= pieces[i].iov_len) {
            taken -= pieces[i].iov_len;
            continue;
        }
        if (!enqueue(connection, (char *)pieces[i].iov_base + taken, pieces[i].iov_len - taken))
            connection_close(connection);
        taken = 0;
        rest = true;
    }
    if (rest && connection->state == CONNECTION_OPEN && !ev_is_active(&connection->writable))
        flush(connection);
}

ssize_t connection_send_file(struct connection *connection, int fd, off_t *offset, size_t length)
{
    if (connection->state != CONNECTION_OPEN)
        return -1;
    if (connection_queued(connection) > 0)
        return 0;
    ssize_t sent = sendfile(fd_of(connection), fd, offset, length);
    if (sent > 0) {
        deadline_clear(&connection->stalled);
        return sent;
    }
    if (sent == 0 || (errno != EAGAIN && errno != EINTR)) { /* 0: the file is shorter than it was */
        connection_close(connection);
        return -1;
    }
    ev_io_start(connection->server->loop, &connection->writable);
    if (connection->stalled.next == NULL)
        deadline_set(&connection->stalled, connection->server->config->server.write_timeout_ms);
    return 0;
}

void connection_finish(struct connection *connection, bool linger)
{
    if (connection->state != CONNECTION_OPEN)
        return;
    connection->close_when_flushed = true;
    connection->linger_when_flushed = linger;
    if (connection_queued(connection) == 0)
        shut(connection);
}

void connection_close(struct connection *connection)
{
    struct http_server *server = connection->server;
    if (connection->state == CONNECTION_CLOSING)
        return;
    connection->state = CONNECTION_CLOSING;
    ev_io_stop(server->loop, &connection->readable);
    ev_io_stop(server->loop, &connection->writable);
    deadline_clear(&connection->deadline);
    deadline_clear(&connection->stalled);

    if (connection->previous != NULL)
        connection->previous->next = connection->next;
    else
        server->connections = connection->next;
    if (connection->next != NULL)
        connection->next->previous = connection->previous;
    connection->previous = NULL;
    connection->next = server->closing;
    server->closing = connection;
    ev_idle_start(server->loop, &server->close_soon);
}

void connection_destroy(struct connection *connection)
{
    if (connection->protocol != NULL)
        connection->protocol->closed(connection);
    deadline_clear(&connection->deadline); /* the protocol may have set them since the close */
    deadline_clear(&connection->stalled);
    if (connection->tls != NULL) {
        SSL_shutdown(connection->tls);
        SSL_free(connection->tls);
    }
    if (fd_of(connection) >= 0)
        close(fd_of(connection));
    free(connection->kept);
    free(connection->queue);
    free(connection);
}

int connection_take_fd(struct connection *connection)
{
    int fd = fd_of(connection);
    connection_close(connection);
    ev_io_set(&connection->readable, -1, EV_READ);
    return fd;
}

static void deadline_passed(struct deadline *deadline)
{
    struct connection *connection =
        (struct connection *)(void *)((char *)deadline - offsetof(struct connection, deadline));
    if (connection->state == CONNECTION_OPEN)
        connection->protocol->timed_out(connection);
    else
        connection_close(connection);
}

static void stalled(struct deadline *deadline)
{
    connection_close((struct connection *)(void *)((char *)deadline - offsetof(struct connection, stalled)));
}

void connection_open(struct http_server *server, int fd, const char *peer)
{
    struct connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL) {
        close(fd);
        return;
    }
    connection->server = server;
    connection->deadline.passed = deadline_passed;
    connection->stalled.passed = stalled;
    snprintf(connection->peer, sizeof connection->peer, "%s", peer);
    ev_io_init(&connection->readable, on_readable, fd, EV_READ);
    ev_io_init(&connection->writable, on_writable, fd, EV_WRITE);
    connection->readable.data = connection->writable.data = connection;
    connection->next = server->connections;
    if (connection->next != NULL)
        connection->next->previous = connection;
    server->connections = connection;
    server->connection_count++;

    ev_io_start(server->loop, &connection->readable);
    connection->state = server->tls != NULL ? CONNECTION_HANDSHAKE : CONNECTION_OPEN;
    deadline_set(&connection->deadline, server->config->server.header_timeout_ms);
    if (server->tls != NULL)
        tls_accept(connection);
    else
        http1_open(connection);
}
