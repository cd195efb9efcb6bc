/*
 * The client's idempotency key (spec README 4), and creates that it makes happen once (data.md D7):
 *
 *     EDGE_TRANSACTION(ctx, tx) {
 *         answer = idempotent_replay(ctx, tx, "createTask", key, in);
 *         if (answer == NULL) {
 *             answer = create(tx, in);
 *             idempotent_keep(ctx, tx, "createTask", key, answer);
 *         }
 *     }
 *     return answer;
 *
 * The key, the write and the answer are one transaction: a call that fails leaves the key free, and of two that
 * come at once the second waits for the first and replays it. Without a key (NULL) both calls do nothing.
 */
#ifndef LIB_IDEMPOTENCY_H
#define LIB_IDEMPOTENCY_H

#include <edge/edge.h>

/*
 * The key from header Idempotency-Key or body member idempotencyKey, NULL without one. A malformed key, or two
 * different ones, end the invocation with 400 "invalid_input", field idempotencyKey.
 */
const char *idempotency_key(edge_ctx *ctx, json_t *in);

/*
 * The answer that the key got within the last 24 hours, with header Idempotent-Replay; NULL when the key is new
 * and now this transaction's. The same key with another request: 409 "idempotency_conflict". request is the
 * validated body; idempotencyKey itself does not count.
 */
json_t *idempotent_replay(
    edge_ctx *ctx, edge_tx *tx, const char *scope, const char *key, const json_t *request);

/* Keeps a status 200 answer under the key. */
void idempotent_keep(edge_ctx *ctx, edge_tx *tx, const char *scope, const char *key, const json_t *answer);

#endif
