/*
 * A worker's HTTP server: its connections, its limits, its routes. One a worker.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include "config/config.h"

#include <ev.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

struct connection;
struct exchange;

struct http_server {
    struct ev_loop *loop;
    const struct config *config;
    int listen_fd;
    ev_io acceptor;
    ev_timer retry_accept; /* descriptors had run out */
    ev_prepare close_marked;
    ev_idle close_soon; /* runs while something is marked: the loop must not block before it has closed */
    SSL_CTX *tls;       /* NULL: plain HTTP */
    ev_timer tls_look;
    int64_t tls_stamp;
    struct connection *connections, *closing;
    size_t connection_count, exchange_count;
    bool draining;
    int64_t drain_linger_ms; /* for how long idle connections stay, so that a request on its way is served */
    char *buffer;            /* of every read, READ_BUFFER bytes */
    void (*drained)(struct http_server *server);
    /* A request is complete, or its head has been refused (exchange->refused). */
    void (*dispatch)(struct exchange *exchange);
    /* The head is complete: may refuse it and must set the body's limit. */
    void (*head)(struct exchange *exchange);
    uint64_t accepted;
    /*
     * NULL: always false. Whether another worker has clearly fewer connections: it is then left the next ones
     * for a moment. Also tells the others how many there are here.
     */
    bool (*others_have_fewer)(const struct http_server *server);
    bool gave_way; /* just now; what still waits is for us */
};

enum {
    READ_BUFFER = 64 * 1024
};

/* Makes ready. 0 or a negative errno. */
int http_server_start(
    struct http_server *server, struct ev_loop *loop, const struct config *config, int listen_fd);

/* Starts accepting. */
void http_server_accept(struct http_server *server);

/* Accepts what the kernel has queued: it resets that when the last process closes the socket. */
void http_server_accept_queue(struct http_server *server);

/* While draining: idle connections go after the server's drain_linger_ms from now. */
void http_server_drain_idle(struct http_server *server);

/* Stops accepting, closes idle connections, finishes what is in flight; calls drained when nothing is left. */
void http_server_drain(struct http_server *server);

/* Closes everything at once. */
void http_server_stop(struct http_server *server);

/* Called by connections and exchanges when one is gone. */
void http_server_check_drained(struct http_server *server);

#endif
