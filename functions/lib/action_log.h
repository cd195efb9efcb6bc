/*
 * The audit trail of what tools change at providers, and its idempotency keys (spec crm.md S6): one row of
 * ai_actions_log a call, pending before the provider is asked, success or failed after it.
 *
 *     struct action *action = action_begin(ctx, "createLoftyTask", request, key);
 *     if (action->replay != NULL)
 *         return its answer again;
 *     ... the provider's call ...
 *     action_succeed(action, data);
 *
 * Rows are written as the service. Without a key the trail is best effort: what cannot be written is logged.
 */
#ifndef LIB_ACTION_LOG_H
#define LIB_ACTION_LOG_H

#include <edge/edge.h>

struct action {
    edge_ctx *ctx;
    const char *type;
    const char *id; /* of the pending row; NULL when it could not be written */
    json_t *replay; /* what this key was answered before, an object; NULL: go on */
};

/*
 * The members of a validated body that the input table names, without userId and idempotencyKey: what a call
 * asks for, whatever else a model has added.
 */
json_t *action_request(const edge_field *fields, const json_t *in);

/*
 * Writes the pending row, or finds that this key has been answered. logged is what the row keeps of the request
 * (NULL: all of it; without file bytes where there are any). 409 "idempotency_conflict" when the key came with
 * another request, 409 "in_progress" while the first call runs.
 */
EDGE_RETURNS_NONNULL struct action *action_begin(
    edge_ctx *ctx, const char *type, const json_t *request, const json_t *logged, const char *key);

/* Closes the row; action may be NULL. data is borrowed. */
void action_succeed(struct action *action, const json_t *data);
void action_fail(struct action *action, const char *code, const char *message);

#endif
