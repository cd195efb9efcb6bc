/*
 * The worker's ear for deletes of others: a Postgres session of its own that listens on "edge_cache".
 */
#ifndef CACHE_LISTEN_H
#define CACHE_LISTEN_H

#include <ev.h>
#include <stdbool.h>

/* url NULL: nobody to listen to. 0 or a negative errno. */
int listen_start(struct ev_loop *loop, const char *url);
void listen_stop(void);

/* Whether deletes of others are heard, so that shared values may be kept; always without a url. */
bool listen_hears(void);
bool listen_connected(void);

/* Tells the others; later, when they cannot be reached now. */
void listen_tell(const char *payload);

/* In cache.c: what was heard ("<function>:<key>", "…*"), and that something may have been missed. */
void cache_heard(const char *payload);
void cache_deafened(void);

#endif
