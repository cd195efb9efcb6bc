/*
 * A client's connection: the socket, TLS, what is queued for it, and its deadlines. What the bytes mean is
 * its protocol's: http1.c or http2.c.
 *
 * Bytes are read into one buffer of the worker's; an idle connection holds none. Writing tries the socket at
 * once and queues what it does not take. Nothing is closed while its code may still be on the stack:
 * connection_close marks, and the loop's next turn closes.
 */
#ifndef HTTP_CONNECTION_H
#define HTTP_CONNECTION_H

#include "worker/deadline.h"

#include <ev.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

struct connection;
struct http_server;

struct protocol {
    /* Bytes came. Takes all it can use and returns how many; the rest is kept and offered again. */
    size_t (*input)(struct connection *connection, const char *data, size_t length);
    /* The queue has drained below the low-water mark. */
    void (*writable)(struct connection *connection);
    /* The deadline passed. */
    void (*timed_out)(struct connection *connection);
    /* The connection goes away, on the loop's stack: tell whoever waits for it, free the protocol's state. */
    void (*closed)(struct connection *connection);
    /* The worker drains: finish what is in flight and close. */
    void (*drain)(struct connection *connection);
};

enum connection_state {
    CONNECTION_HANDSHAKE, /* TLS; the protocol is not known yet */
    CONNECTION_OPEN,
    CONNECTION_LINGER,  /* our side is shut; reads and drops what comes until the client closes or time is up */
    CONNECTION_CLOSING, /* on the server's list of those to close in the next turn */
};

struct connection {
    struct connection *previous, *next; /* on the server's list of all, or of those to close */
    struct http_server *server;
    const struct protocol *protocol;
    void *session; /* the protocol's */
    SSL *tls;
    ev_io readable, writable;
    struct deadline deadline; /* the protocol's */
    struct deadline stalled;  /* nothing could be sent for so long */
    enum connection_state state;
    bool in_input, close_when_flushed, linger_when_flushed;
    char *kept; /* received, not yet used */
    size_t kept_length, kept_capacity;
    char *queue; /* to be sent: queue[sent..length) */
    size_t queue_sent, queue_length, queue_capacity;
    char peer[48]; /* address without port */
};

/* Takes an accepted, non-blocking socket over. Closes it when memory is short. */
void connection_open(struct http_server *server, int fd, const char *peer);

/* Sends, or queues, the pieces in order. They are copied as far as they are queued. */
void connection_write(struct connection *connection, const struct iovec *pieces, int count);
size_t connection_queued(const struct connection *connection);

/*
 * Sends bytes of a file from *offset on, which is moved, without copying them; not with TLS. Returns how many
 * went; 0: nothing just now, the protocol's writable follows; -1: the connection closes.
 */
ssize_t connection_send_file(struct connection *connection, int fd, off_t *offset, size_t length);

/* Offers kept bytes to the protocol again; after an exchange has ended. */
void connection_resume(struct connection *connection);

/* Bytes have been read (and decrypted): offers them to the protocol, keeps what it does not take. */
void connection_deliver(struct connection *connection, const char *data, size_t length);

/* Closes once what is queued has been sent; linger: reads on for a moment, so that the answer is not lost. */
void connection_finish(struct connection *connection, bool linger);

/* Closes at the loop's next turn, whatever is queued. */
void connection_close(struct connection *connection);

/* Frees a closed connection; for the server's turn. */
void connection_destroy(struct connection *connection);

/* Gives the socket away (to libwebsockets); the connection closes without it. Not with TLS. */
int connection_take_fd(struct connection *connection);

#endif
