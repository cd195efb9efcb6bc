/*
 * Accepting, and draining; see server.h.
 *
 * The listening socket is the supervisor's: a worker that dies or drains loses no connection that the kernel
 * still holds.
 */
#include "server.h"

#include "connection.h"
#include "http1.h"
#include "tls.h"

#include <log.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    ACCEPTS_A_TURN = 8
};
static const double ACCEPT_RETRY_SECONDS = 0.1, GIVE_WAY_SECONDS = 0.001;

static void address_text(const struct sockaddr_storage *address, char out[48])
{
    out[0] = '\0';
    if (address->ss_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)address)->sin_addr, out, 48);
    else if (address->ss_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)address)->sin6_addr, out, 48);
    if (strncmp(out, "::ffff:", 7) == 0)
        memmove(out, out + 7, strlen(out + 7) + 1);
}

static void accept_later(struct http_server *server, double seconds)
{
    ev_io_stop(server->loop, &server->acceptor);
    ev_timer_stop(server->loop, &server->retry_accept);
    ev_timer_set(&server->retry_accept, seconds, 0);
    ev_timer_start(server->loop, &server->retry_accept);
}

/* Out of descriptors or memory: the kernel's queue holds the rest until something has been closed. */
static void pause_accepting(struct http_server *server, int reason)
{
    accept_later(server, ACCEPT_RETRY_SECONDS);
    if (reason != 0)
        log_event(EDGE_LOG_WARN, "accept_failed", { "reason", edge_text(strerror(reason)) });
}

/* False when there is nothing to accept, or no place for it. */
static bool accept_one(struct http_server *server)
{
    if (server->connection_count >= (size_t)server->config->server.max_connections) {
        pause_accepting(server, 0);
        return false;
    }
    struct sockaddr_storage address = { 0 };
    socklen_t size = sizeof address;
    int fd = accept4(server->listen_fd, (struct sockaddr *)&address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            pause_accepting(server, errno);
        return false;
    }
    char peer[48];
    int one = 1;
    address_text(&address, peer);
    if (address.ss_family != AF_UNIX)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    server->accepted++;
    connection_open(server, fd, peer);
    return true;
}

/*
 * Keep-alive connections stay where they were accepted: a worker that wakes first and takes them all would have
 * all the work of 32 clients, and the others none.
 */
static bool gives_way(struct http_server *server)
{
    server->gave_way =
        server->others_have_fewer != NULL && server->others_have_fewer(server) && !server->gave_way;
    if (server->gave_way)
        accept_later(server, GIVE_WAY_SECONDS);
    return server->gave_way;
}

static void on_accept(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)loop, (void)events;
    struct http_server *server = watcher->data;
    if (gives_way(server))
        return;
    for (int i = 0; i < ACCEPTS_A_TURN && accept_one(server); i++)
        ;
}

static void accept_again(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)events;
    struct http_server *server = timer->data;
    if (!server->draining)
        ev_io_start(loop, &server->acceptor);
}

static void close_marked(struct ev_loop *loop, ev_prepare *watcher, int events)
{
    (void)loop, (void)events;
    struct http_server *server = watcher->data;
    ev_idle_stop(server->loop, &server->close_soon);
    while (server->closing != NULL) {
        struct connection *connection = server->closing;
        server->closing = connection->next;
        server->connection_count--;
        connection_destroy(connection);
    }
    http_server_check_drained(server);
}

static void next_turn(struct ev_loop *loop, ev_idle *watcher, int events)
{
    (void)loop, (void)watcher, (void)events;
}

int http_server_start(
    struct http_server *server, struct ev_loop *loop, const struct config *config, int listen_fd)
{
    server->loop = loop;
    server->config = config;
    server->listen_fd = listen_fd;
    server->buffer = malloc(READ_BUFFER);
    if (server->buffer == NULL)
        return -ENOMEM;
    if (config->server.tls_cert != NULL) {
        server->tls = tls_context_create(config->server.tls_cert, config->server.tls_key);
        if (server->tls == NULL)
            return -EINVAL;
        tls_watch(server);
    }

    ev_prepare_init(&server->close_marked, close_marked);
    server->close_marked.data = server;
    ev_prepare_start(loop, &server->close_marked);
    ev_idle_init(&server->close_soon, next_turn);
    ev_timer_init(&server->retry_accept, accept_again, ACCEPT_RETRY_SECONDS, 0);
    server->retry_accept.data = server;
    ev_io_init(&server->acceptor, on_accept, listen_fd, EV_READ);
    server->acceptor.data = server;
    return 0;
}

void http_server_accept(struct http_server *server)
{
    if (!server->draining)
        ev_io_start(server->loop, &server->acceptor);
}

void http_server_accept_queue(struct http_server *server)
{
    while (ev_is_active(&server->acceptor) && accept_one(server))
        ;
}

void http_server_check_drained(struct http_server *server)
{
    if (!server->draining || server->drained == NULL || server->connection_count > 0 ||
        server->exchange_count > 0)
        return;
    void (*drained)(struct http_server * server) = server->drained;
    server->drained = NULL;
    drained(server);
}

void http_server_drain_idle(struct http_server *server)
{
    struct connection *next = NULL;
    for (struct connection *connection = server->connections; connection != NULL; connection = next) {
        next = connection->next;
        if (http1_listens(connection))
            connection->protocol->drain(connection);
    }
}

void http_server_drain(struct http_server *server)
{
    if (server->draining)
        return;
    server->draining = true;
    ev_io_stop(server->loop, &server->acceptor);
    ev_timer_stop(server->loop, &server->retry_accept);
    close(server->listen_fd);

    struct connection *next = NULL;
    for (struct connection *connection = server->connections; connection != NULL; connection = next) {
        next = connection->next;
        if (connection->state == CONNECTION_OPEN)
            connection->protocol->drain(connection);
        else if (connection->state == CONNECTION_HANDSHAKE)
            connection_close(connection);
    }
    http_server_check_drained(server);
}

void http_server_stop(struct http_server *server)
{
    server->drained = NULL;
    while (server->connections != NULL)
        connection_close(server->connections);
    close_marked(server->loop, &server->close_marked, 0);
    ev_prepare_stop(server->loop, &server->close_marked);
    if (server->tls != NULL) {
        tls_watch_stop(server);
        SSL_CTX_free(server->tls);
    }
    free(server->buffer);
}
