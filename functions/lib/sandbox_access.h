/*
 * Access tokens at the stand-ins. Those that a stand-in has issued count while they live and have not been
 * revoked (lib/sandbox_oauth); of others, so that rows made by hand work as well, any that does not begin with
 * "expired" or "revoked".
 */
#ifndef LIB_SANDBOX_ACCESS_H
#define LIB_SANDBOX_ACCESS_H

#include <edge/edge.h>

/* The request's bearer token, NULL when there is none that counts. */
const char *sandbox_token(edge_ctx *ctx);

#endif
