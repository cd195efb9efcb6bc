/*
 * The worker's one libcurl multi handle on the libev loop.
 */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include "call.h"

/* A handle with what all calls share already set; NULL when memory is short. */
CURL *client_take(void);

/* Puts a handle into the multi. 0 or a negative errno. */
int client_add(CURL *easy);

/* Takes a handle out of the multi; a transfer under way ends with its connection. */
void client_drop(CURL *easy);

/* Pumps the queues once libcurl has returned: in its callbacks no call may be added. */
void client_pump_later(void);

#endif
