/*
 * HTTP/1.1 (RFC 9112) and 1.0 on a connection: one exchange at a time, in order; pipelined requests wait in
 * the connection's kept bytes.
 */
#ifndef HTTP_HTTP1_H
#define HTTP_HTTP1_H

#include <stdbool.h>

struct connection;
struct exchange;

void http1_open(struct connection *connection);

/* Another protocol takes the connection, or its socket, over: the exchange is off it, and its state is freed.
 */
void http1_leave(struct connection *connection);

/* The exchange that waits for its answer on a connection, NULL: none, or the connection speaks something else.
 */
const struct exchange *http1_waiting(const struct connection *connection);

/* Whether the connection's next request has not been read, or not whole. */
bool http1_listens(const struct connection *connection);

#endif
