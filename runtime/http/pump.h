/*
 * Under TLS libwebsockets gets one end of a socket pair, and the other end is pumped to and from the
 * connection that knows the cipher.
 *
 * Neither direction runs ahead: what the socket pair does not take stays the connection's, which stops
 * reading; and while the connection has much to send, nothing is read from the socket pair.
 */
#ifndef HTTP_PUMP_H
#define HTTP_PUMP_H

struct connection;

/*
 * Makes the connection's protocol a pump, and *fd the other end of it. The protocol before must have let go
 * of the connection. 0 or a negative errno. connection_resume then pumps what has been received already.
 */
int pump_open(struct connection *connection, int *fd);

#endif
