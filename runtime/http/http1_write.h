/*
 * HTTP/1.1 answers on the wire.
 */
#ifndef HTTP_HTTP1_WRITE_H
#define HTTP_HTTP1_WRITE_H

#include "exchange.h"

extern const struct exchange_ops http1_ops;

void http1_send_continue(struct exchange *exchange);

/* A comment line, so that proxies and clients see that an event stream lives; and the next one's deadline. */
void http1_send_comment(struct exchange *exchange);

/* In http1.c: the answer is out; goes on with the connection's next request, or closes. */
void http1_exchange_ended(struct connection *connection);

#endif
