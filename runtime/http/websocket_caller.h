/*
 * Who opened a WebSocket, and with what request: copied out of the opening invocation, and shown to every call.
 */
#ifndef HTTP_WEBSOCKET_CALLER_H
#define HTTP_WEBSOCKET_CALLER_H

#include "config/config.h"

#include <context.h>

struct websocket_caller {
    struct request_view request; /* of the opening request, as a call sees it but for its body */
    struct identity identity;
    enum auth_mode auth;    /* of the function when it let the caller in */
    int64_t valid_until_us; /* Unix time at which the session's token expires; 0: never */
};

/* One block of memory, to be freed. NULL when memory is short. */
struct websocket_caller *websocket_caller_copy(const edge_ctx *ctx, int64_t valid_until_us);

#endif
