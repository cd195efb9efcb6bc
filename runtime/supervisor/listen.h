/*
 * The listening socket.
 */
#ifndef SUPERVISOR_LISTEN_H
#define SUPERVISOR_LISTEN_H

#include <stdbool.h>

#define LISTEN_ADDRESS_BYTES 160

struct listener {
    int fd;
    char address[LISTEN_ADDRESS_BYTES]; /* what was bound: "127.0.0.1:43211", "[::1]:80", "unix:/path" */
};

/* Why it could not listen and what to change; one or two sentences. */
struct listen_error {
    char text[512];
};

/*
 * Binds and listens on "host:port", "[v6]:port", ":port" (every interface) or "unix:/path"; port 0 picks a
 * free one. 0 or a negative errno and *error.
 */
int listen_open(const char *address, struct listener *listener, struct listen_error *error);

/*
 * Takes the socket that a service manager has opened for this process: sd_listen_fds(3), the first one. False
 * when there is none; *error when it is nothing that a host can accept connections from.
 */
bool listen_inherit(struct listener *listener, struct listen_error *error);

/* Closes it and removes the file of a Unix socket, unless that is the service manager's. */
void listen_close(struct listener *listener);

#endif
