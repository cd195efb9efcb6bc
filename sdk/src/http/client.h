/*
 * libcurl's multi handles on the worker's loop.
 */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include "call.h"

/* A handle with what all calls share already set; NULL when memory is short. */
CURL *client_take(void);

/* Puts a handle into the multi of its kind. 0 or a negative errno. */
int client_add(CURL *easy, bool streamed);

/* Takes a handle out of the multi; a transfer under way ends with its connection. */
void client_drop(CURL *easy, bool streamed);

/* Pumps the queues once libcurl has returned: in its callbacks no call may be added. */
void client_pump_later(void);

#endif
