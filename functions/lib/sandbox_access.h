/*
 * Access tokens at the stand-ins. Any token counts that does not begin with "expired" or "revoked", so that
 * rows made by hand work as well as tokens which a stand-in has issued.
 */
#ifndef LIB_SANDBOX_ACCESS_H
#define LIB_SANDBOX_ACCESS_H

#include <edge/edge.h>

/* The request's bearer token, NULL when there is none that counts. */
const char *sandbox_token(edge_ctx *ctx);

#endif
