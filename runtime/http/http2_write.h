/*
 * HTTP/2 answers on the wire, and what a session and a stream are.
 */
#ifndef HTTP_HTTP2_WRITE_H
#define HTTP_HTTP2_WRITE_H

#include "exchange.h"

#include <ev.h>
#include <nghttp2/nghttp2.h>

struct http2_stream {
    struct http2_stream *previous, *next;
    struct exchange *exchange; /* NULL once it is answered */
    struct connection *connection;
    int32_t id;
    bool dispatched, ended,
        waiting;       /* ended: all of the answer is queued; waiting: nghttp2 asked, nothing was there */
    bool drop_rest;    /* answered before its body was complete */
    size_t body_since; /* bytes since the body's deadline was set */
    char *authority;
    char *queue; /* of the answer: queue[sent..length) */
    size_t queue_sent, queue_length, queue_capacity;
};

struct http2 {
    nghttp2_session *session;
    struct http2_stream *streams;
    ev_prepare before_block; /* runs while something has been queued from a fiber */
    ev_idle keep_turning;    /* until it has run, and until the fibers that sending has woken have */
    bool sending, woke_writer;
};

extern const struct exchange_ops http2_ops;

void http2_init(struct http2 *http2, struct connection *connection);
void http2_link(struct http2_stream *stream);
void http2_stream_free(struct http2_stream *stream);

/* Sends what nghttp2 has, as far as the connection's queue is short. */
void http2_send(struct connection *connection);

/* Without streams the idle deadline runs; a draining connection closes. */
void http2_check_idle(struct connection *connection);

/* Comments for event streams that have been silent. */
void http2_keep_alive(struct connection *connection);

#endif
