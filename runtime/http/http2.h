/*
 * HTTP/2 (RFC 9113) on a TLS connection, by nghttp2: many exchanges at a time, each a stream.
 */
#ifndef HTTP_HTTP2_H
#define HTTP_HTTP2_H

struct connection;

void http2_open(struct connection *connection);

#endif
