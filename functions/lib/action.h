/*
 * The log of what tools have published, sent and made (ai_actions_log; spec workspace.md 0.6, crm.md S6), which
 * is also what answers a repeated request: one row an execution, written before the provider is called.
 *
 *     struct action *action = action_begin(ctx, &(const struct action_request){ ... });
 *     if (action->result != NULL)
 *         return ... action->result;                             this key has been served before
 *     ... the provider's calls ...
 *     action_succeed(action, data, url);                         or action_fail(action, code, message, url)
 *
 * What ends an invocation in between leaves the row pending: nobody knows whether the provider has acted. A key
 * is held for two minutes by it.
 */
#ifndef LIB_ACTION_H
#define LIB_ACTION_H

#include <edge/edge.h>

struct action_request {
    const char *user, *type;  /* type: createGoogleDoc */
    const char *key;          /* the client's idempotency key (lib/idempotency), NULL without one */
    const edge_field *fields; /* of in: what the request's hash is made of */
    json_t *in;               /* validated */
    json_t *summary;          /* stored as "request": no texts of messages or posts, no tokens */
};

struct action {
    edge_ctx *ctx;
    const char *id;  /* of the row; NULL when it could not be written */
    json_t *data;    /* its action_data */
    json_t *summary; /* members may be changed until the end */
    json_t *result;  /* the answer's data of an earlier run with this key, with "replayed": true */
};

/*
 * Begins an execution. With a key that has been used in the last 24 hours: its result when it succeeded; 409
 * "idempotency_conflict" when that was another request, "in_progress" when it is still running. Without a key a
 * row that cannot be written is logged and changes nothing.
 */
EDGE_RETURNS_NONNULL struct action *action_begin(edge_ctx *ctx, const struct action_request *request);

/* How it ended; url may be NULL. A row that cannot be written is logged. */
void action_succeed(struct action *action, json_t *result, const char *url);
void action_fail(struct action *action, const char *code, const char *message, const char *url);

#endif
