/*
 * A WebSocket to the host (RFC 6455), for the command line: opened and framed by hand on a connection of
 * libcurl's, which knows TLS and Unix sockets.
 */
#ifndef WEBSOCKET_CLIENT_H
#define WEBSOCKET_CLIENT_H

#include "cli/host_call.h"

enum {
    WS_TEXT = 1,
    WS_BINARY = 2,
    WS_CLOSE = 8,
    WS_PING = 9,
    WS_PONG = 10
};

struct websocket_client {
    CURL *handle;
    curl_socket_t fd;
    char *input; /* bytes that have come and are not taken yet */
    size_t length, size;
    char *message; /* put together of its fragments */
    size_t message_length;
    int message_type;
    long refused; /* status of an answer that is not 101 */
};

/* Connects and asks for the upgrade. 0, or -1 after saying why not. */
int websocket_client_open(struct websocket_client *client, const struct host_place *place, const char *path,
    const struct curl_slist *fields);

/* Sends one frame. 0, or -1 when the connection is gone. */
int websocket_client_send(struct websocket_client *client, int type, const void *data, size_t length);

/*
 * The next whole message or close, of what has come so far: its type and 1. 0: more has to come (poll fd);
 * -1: the connection is gone. Pings are answered by the way.
 */
int websocket_client_next(struct websocket_client *client, int *type, const char **data, size_t *length);

void websocket_client_free(struct websocket_client *client);

#endif
