/*
 * The client's idempotency key (spec README 4).
 */
#ifndef LIB_IDEMPOTENCY_H
#define LIB_IDEMPOTENCY_H

#include <edge/edge.h>

/*
 * The key from header Idempotency-Key or body member idempotencyKey, NULL without one. A malformed key, or two
 * different ones, end the invocation with 400 "invalid_input", field idempotencyKey.
 */
const char *idempotency_key(edge_ctx *ctx, json_t *in);

#endif
