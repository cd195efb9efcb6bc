/*
 * Host names of a database URL, looked up without blocking the loop.
 *
 * PQconnectStart would call getaddrinfo itself, which takes seconds when the name server is down, and with it
 * every request of the worker, also those that need no database.
 */
#ifndef DB_RESOLVE_H
#define DB_RESOLVE_H

#include <stdbool.h>

struct resolve;

/* Hosts with their addresses, as libpq takes them: lists of equal length, separated by commas. */
struct resolved {
    char *host, *hostaddr, *port;
};

/* Whether a URL names a host that has to be looked up; sockets and addresses have not. */
bool resolve_needed(const char *url);

/* Looks a URL's hosts up; done follows, on the loop. NULL when that cannot be done. */
struct resolve *resolve_start(
    const char *url, void (*done)(void *arg, const struct resolved *resolved, const char *error), void *arg);

/* Nobody waits any more; the answer is dropped. */
void resolve_forget(struct resolve *resolve);

/* The look-up itself, blocking: 0, or what getaddrinfo said when no host has an address. Free it in both cases.
 */
int resolve_url(const char *url, struct resolved *resolved);
void resolved_free(struct resolved *resolved);

#endif
