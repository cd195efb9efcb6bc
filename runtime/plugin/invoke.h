/*
 * From a complete request to a running function, and from its end to an answer.
 */
#ifndef PLUGIN_INVOKE_H
#define PLUGIN_INVOKE_H

#include <edge/base.h>

#include <stddef.h>

struct exchange;
struct failure;
struct function_config;
struct generation;
struct context_ops;
struct worker;

/* Starts the function of a request; it has been answered already when it did not need to wait. */
void invoke_start(struct exchange *exchange, struct generation *generation);

/*
 * An invocation of a function as configured, for any transport; NULL when memory is short. request_id NULL: it
 * gets one of its own.
 */
edge_ctx *invoke_create(struct worker *worker, struct generation *generation, const struct context_ops *ops,
    void *host, const char *request_id);

/*
 * Answers an exchange by work of the host's own that waits: ops on a fiber, with ops->host the exchange, under
 * its request id. timeout_ms 0: no deadline. Without memory for it the exchange is answered 503.
 */
void invoke_host(struct exchange *exchange, const struct context_ops *ops, const char *name,
    size_t memory_bytes, int64_t timeout_ms);

/* What the SDK shows of an exchange's request. */
void invoke_fill_request(edge_ctx *ctx, struct exchange *exchange);

/* Answers an exchange with the invocation's failure, as far as that is still possible. */
void invoke_send_failure(edge_ctx *ctx, struct exchange *exchange);

/*
 * On the invocation's fiber: identity, limits, body, input, handler, as spec/README.md 1 orders them. Returns
 * the handler's value, NULL when it answered by itself. A message of a WebSocket comes with the identity that
 * its opening request has proved. *generation, which is held, becomes its canary for callers that are to get
 * that.
 */
json_t *invoke_function(edge_ctx *ctx, struct generation **generation);

/* Whether answers are compared with output tables (context_answer_mismatch); a difference is logged. */
void invoke_check_answers(bool check);

/* Once the caller is known: makes a canary's share of the callers its own. */
void invoke_choose(edge_ctx *ctx, struct generation **generation);

/* Lets functions of this worker call one another (edge_invoke), and jobs call functions. */
void invoke_internal_start(struct worker *worker);

/* Body of an error answer: malloc'ed JSON text, as the function's shape has it. NULL when memory is short. */
char *invoke_error_body(const edge_ctx *ctx, const struct failure *failure, size_t *length);

/* Codes of failures that a client may see, whatever the function said; fills in what is missing. */
int invoke_error_status(const struct failure *failure);

#endif
