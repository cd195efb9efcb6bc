/*
 * The coaching remark beside a user's scores: asked of a model, and cleaned of whatever a model may answer.
 */
#ifndef LIB_INSIGHT_H
#define LIB_INSIGHT_H

#include <edge/edge.h>

/* Members of its answer. */
extern const edge_field insight_output[];

/*
 * {message, actions, source} for three scores out of 100. source is "ai", or "fallback" when the model could
 * not be asked within timeout_ms or has not said anything. Sends nothing that identifies the user. Parks.
 */
EDGE_RETURNS_NONNULL json_t *insight_ask(
    edge_ctx *ctx, double pulse, double gane, double moro, int64_t timeout_ms);

#endif
