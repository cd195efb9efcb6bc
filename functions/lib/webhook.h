/*
 * What every webhook does with a delivery that the host has verified (spec events.md S3): read it, and act on
 * it once.
 *
 *     json_t *event = webhook_event(ctx);
 *     EDGE_TRANSACTION(ctx, tx, .service = true) {
 *         if (!webhook_is_new(ctx, tx, "clerk", webhook_svix_id(ctx)))
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

/* The body as an object, without U+0000 in its texts; ends the invocation with 400 "invalid_json" when it is
 * none. */
EDGE_RETURNS_NONNULL json_t *webhook_event(edge_ctx *ctx);

/* The delivery's id in the header family that the signature was verified over (events.md S3.1). */
EDGE_RETURNS_NONNULL const char *webhook_svix_id(edge_ctx *ctx);

/* "sha256:<hex>" of the raw body: the id of a delivery that has none. */
EDGE_RETURNS_NONNULL const char *webhook_body_id(edge_ctx *ctx);

/* How an id is recorded: itself, or its digest when it is longer than an index takes. */
EDGE_RETURNS_NONNULL const char *webhook_event_key(edge_ctx *ctx, const char *event_id);

/* Records a delivery that nothing is done about, and answers: ignored, or duplicate. */
EDGE_RETURNS_NONNULL json_t *webhook_ignore(
    edge_ctx *ctx, const char *provider, const char *event_id, const char *reason);

/* Records a delivery: true the first time, false when it has been acted on before. */
bool webhook_is_new(edge_ctx *ctx, edge_tx *tx, const char *provider, const char *event_id);

/* Members of these answers in an output table, and the table of a webhook that answers nothing else. */
#define WEBHOOK_FIELDS                                                                                         \
    { "success", EDGE_BOOL, .required = true, .help = "true: the delivery need not come again" },              \
        { "duplicate", EDGE_BOOL, .help = "true: it has been acted on before" },                               \
        { "ignored", EDGE_BOOL, .help = "true: nothing was done about it" },                                   \
    {                                                                                                          \
        "reason", EDGE_TEXT, .help = "Code of why not"                                                         \
    }
extern const edge_field webhook_output[];

json_t *webhook_done(void);                  /* {"success":true} */
json_t *webhook_duplicate(void);             /* and "duplicate":true */
json_t *webhook_ignored(const char *reason); /* and "ignored":true, "reason" */

#endif
