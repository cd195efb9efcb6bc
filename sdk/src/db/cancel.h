/*
 * Cancel requests that do not block the loop.
 */
#ifndef DB_CANCEL_H
#define DB_CANCEL_H

struct db_connection;
struct cancel;

/* Asks the server to cancel what the connection runs; db_connection_cancel_arrived follows. NULL: it cannot be
 * sent. */
struct cancel *cancel_send(struct db_connection *connection);

/* The connection is gone; the request still goes its way. */
void cancel_forget(struct cancel *cancel);

#endif
