/*
 * HTTP/1.1 (RFC 9112) and 1.0 on a connection: one exchange at a time, in order; pipelined requests wait in
 * the connection's kept bytes.
 */
#ifndef HTTP_HTTP1_H
#define HTTP_HTTP1_H

struct connection;

void http1_open(struct connection *connection);

#endif
