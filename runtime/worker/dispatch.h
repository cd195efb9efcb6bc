/*
 * What happens to a request: which function or endpoint it is for, and what its head alone rules out.
 */
#ifndef WORKER_DISPATCH_H
#define WORKER_DISPATCH_H

struct exchange;

/* The server's head and dispatch callbacks. */
void dispatch_head(struct exchange *exchange);
void dispatch_request(struct exchange *exchange);

#endif
