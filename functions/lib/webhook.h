/*
 * What every webhook does with a delivery that the host has verified (spec events.md S3): read it, and act on
 * it once.
 *
 *     json_t *event = webhook_event(ctx);
 *     EDGE_TRANSACTION(ctx, tx, .service = true) {
 *         if (!webhook_is_new(tx, "clerk", webhook_svix_id(ctx)))
 *             return webhook_duplicate();
 *         ...effects through tx...
 *     }
 *     return webhook_done();
 *
 * The record of the delivery and its effects are one transaction: a failure leaves neither, and the sender
 * tries again.
 */
#ifndef LIB_WEBHOOK_H
#define LIB_WEBHOOK_H

#include <edge/edge.h>

/* The body as an object; ends the invocation with 400 "invalid_json" when it is none. */
EDGE_RETURNS_NONNULL json_t *webhook_event(edge_ctx *ctx);

/* The delivery's id in the header family that the signature was verified over (events.md S3.1). */
EDGE_RETURNS_NONNULL const char *webhook_svix_id(edge_ctx *ctx);

/* Records a delivery: true the first time, false when it has been acted on before. */
bool webhook_is_new(edge_tx *tx, const char *provider, const char *event_id);

json_t *webhook_done(void);                  /* {"success":true} */
json_t *webhook_duplicate(void);             /* and "duplicate":true */
json_t *webhook_ignored(const char *reason); /* and "ignored":true, "reason" */

#endif
