/*
 * TLS for connections: OpenSSL on our own sockets, HTTP/2 by ALPN, certificates read again when they change.
 */
#ifndef HTTP_TLS_H
#define HTTP_TLS_H

#include <openssl/ssl.h>
#include <stddef.h>
#include <sys/types.h>

struct connection;
struct http_server;

/* A context of the PEM files; NULL with the reason logged. */
SSL_CTX *tls_context_create(const char *certificate, const char *key);

/* Looks every few seconds whether the files have changed; a pair that does not load changes nothing. */
void tls_watch(struct http_server *server);
void tls_watch_stop(struct http_server *server);

/* Begins a handshake; tls_readable carries it on and later reads and delivers. */
void tls_accept(struct connection *connection);
void tls_readable(struct connection *connection);

/* As send(2): bytes taken, or -1 with errno, EAGAIN when the socket takes no more now. */
ssize_t tls_write(struct connection *connection, const char *data, size_t length);

#endif
