/*
 * What the stand-ins for outside providers share: they write down what they were sent, and do what
 * POST /sandbox/_control told them to do next.
 *
 * The state is files under SANDBOX_DIR (default .edge/sandbox), because it has to be one thing for all workers,
 * be there while the database is down, and survive a worker that a test kills. Each step is one system call
 * that the kernel makes atomic: append a line, unlink a queued order (whoever succeeds has it).
 *
 *   <dir>/<provider>/requests.jsonl   a line for each request, and one for its end
 *   <dir>/<provider>/queue/<n>.json   orders for the next requests, oldest first
 *   <dir>/<provider>/kept.jsonl       what the stand-in remembers
 *   <dir>/<provider>/once/<digest>.json  what it remembers by name
 *   <dir>/<provider>/always.json      the order for every request once the queue is empty
 *
 * An order is a JSON object; every member is optional:
 *   status, headers, body          the answer instead of the stand-in's own; body: JSON, or a string sent as it
 * is delayMs                        wait before anything else drop                           break the
 * connection off without an answer truncateAfter, stallAfter      after so many tokens (stream) or bytes: break
 * off, or fall silent content, tokens, tokenIntervalMs   a chat's answer, its pieces, and the time between two
 * of them times                          for how many requests it holds (default 1); 0: for all until a reset
 */
#ifndef LIB_SANDBOX_H
#define LIB_SANDBOX_H

#include <edge/edge.h>

/* True for a name that is safe in a path: lower case letters, digits, underscore. */
bool sandbox_is_provider(const char *name);

/*
 * Records the request, carries out delayMs and drop, and returns the order, an empty object without one.
 */
EDGE_RETURNS_NONNULL json_t *sandbox_receive(edge_ctx *ctx, const char *provider);

/* True when the order replaces the stand-in's own answer. */
bool sandbox_has_answer(const json_t *order);

/* Gives the order's answer; return its result. */
json_t *sandbox_answer(edge_ctx *ctx, const json_t *order);

/* Sends a body as the order says: whole, or broken off or silent after so many bytes. Returns NULL. */
json_t *sandbox_send(edge_ctx *ctx, const json_t *order, int status, const char *media_type, const char *body);

/* The same with a JSON value as body. */
json_t *sandbox_send_json(edge_ctx *ctx, const json_t *order, int status, const json_t *body);

/* The request's body as JSON, NULL when it is none. */
json_t *sandbox_body(edge_ctx *ctx);

/* Falls silent: parks until the caller or the deadline ends it. */
void sandbox_stall(edge_ctx *ctx);

/* Remembers an object, and all that were remembered since the last reset, oldest first: what a provider would
 * know. */
void sandbox_keep(edge_ctx *ctx, const char *provider, const json_t *object);
json_t *sandbox_kept(edge_ctx *ctx, const char *provider);

/*
 * Remembers an object under a name until the next reset: true for whoever came first. What was remembered, NULL
 * when there is nothing. However many names there are, each costs the same.
 */
bool sandbox_keep_once(edge_ctx *ctx, const char *provider, const char *name, const json_t *object);
json_t *sandbox_kept_once(edge_ctx *ctx, const char *provider, const char *name);

/* For the control plugin: queue an order, forget orders and requests, list requests. */
void sandbox_order(edge_ctx *ctx, const char *provider, const json_t *order);
void sandbox_reset(edge_ctx *ctx, const char *provider);
json_t *sandbox_requests(edge_ctx *ctx, const char *provider);

#endif
