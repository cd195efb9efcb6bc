/*
 * Several things at once inside an invocation, calls of other functions, and work after the answer. Each task
 * is a fiber of its own with the invocation's memory, identity and deadline.
 *
 * Work after the answer has two strengths. edge_wait_until is cheap and lost with its process; edge_enqueue
 * writes a row first, so a host that dies loses none, and another one does it.
 */
#ifndef EDGE_TASK_H
#define EDGE_TASK_H

#include <edge/db.h>
#include <edge/http.h>

#pragma GCC visibility push(default)

typedef struct edge_task edge_task;

/* Starts fn(ctx, arg) beside the caller. A failure in it ends the whole invocation. Memory: the invocation's.
 */
EDGE_RETURNS_NONNULL edge_task *edge_spawn(edge_ctx *ctx, void *(*fn)(edge_ctx *ctx, void *arg), void *arg);

/* Parks until the task has ended and returns its result. */
void *edge_await(edge_ctx *ctx, edge_task *task);

/*
 * Runs fn(ctx, arg) after the answer has been sent, as the same caller, within the function's timeout counted
 * anew. Its failure is logged and reaches nobody. A stop or reload waits for it.
 */
void edge_wait_until(edge_ctx *ctx, void (*fn)(edge_ctx *ctx, void *arg), void *arg);

/* What a function that was called in process has answered. All of it belongs to the calling invocation. */
typedef struct edge_answer {
    int status;                 /* HTTP status, 200..599 */
    const char *code;           /* of a failure as in the error envelope; NULL when the function answered */
    json_t *body;               /* never NULL; of a failure {"error","code","requestId", ...} */
    const edge_header *headers; /* that the function has set, ended by { 0 } */
} edge_answer;

typedef struct edge_invoke_options {
    int64_t timeout_ms; /* bounds this call below the function's own timeout; 504 "timeout" beyond */
    bool service; /* as the service instead of the caller: for webhooks, and for what users may not call */
} edge_invoke_options;

/*
 * Calls another function of this host in process and parks until it has answered: no socket, no headers (so
 * no Idempotency-Key), body as its JSON body (NULL: {}). The function runs as the same caller, under its own
 * auth mode, rate limit, memory and timeout; its input is validated as over HTTP. Several at once: edge_spawn.
 *
 * Whatever the function does is a value: nothing of it ends the caller. Beside its own answers there are
 *   404 "function_not_found"   no such function, or its plugin is not loaded
 *   401, 403, 413, 429         as over HTTP; a signed event's handler counts as nobody without .service
 *   500 "memory_limit" ...     what the function failed with
 *   504 "timeout"              of the function, or of .timeout_ms
 *   508 "invocation_loop"      it would be the ninth call within a call
 * When the caller ends meanwhile (deadline, client gone) the function is told that its client has left.
 *
 * Of a stream the data of its event "final" is the body; other events are dropped. Bytes that are no JSON are
 * {"mediaType","base64"}.
 *
 *     edge_answer *mail = edge_invoke(ctx, "sendMail", message, .timeout_ms = 30000);
 *     if (mail->status >= 400)
 *         edge_log(ctx, EDGE_LOG_WARN, "mail_not_sent", { "code", edge_text(mail->code) });
 */
#define edge_invoke(ctx, name, body, ...)                                                                      \
    edge_invoke_as((ctx), (name), (body), &(const edge_invoke_options){ __VA_ARGS__ })
EDGE_RETURNS_NONNULL edge_answer *edge_invoke_as(
    edge_ctx *ctx, const char *name, const json_t *body, const edge_invoke_options *options);

typedef struct edge_job_options {
    int64_t run_at_us; /* not before this instant, Unix time in microseconds; 0: now */
    int64_t delay_ms;  /* not before this much later */
    int max_attempts;  /* 0: 5 */
    const char *key;   /* 1..200 bytes: the second job of one function and key within 7 days is not added */
} edge_job_options;

/*
 * Adds a durable job: a call of the function by name, as the service, with payload (an object; NULL: {}) as its
 * body, by any host, after this. A "userId" in it is the acting user, as under the service key. Returns the
 * job's id, or 0 when the key has been used. Parks; fails as edge_service_query does.
 *
 * A job is done when the function answers below 400. Statuses 400, 401, 403, 413, 415 and 422 would be the same
 * again, so they end it; after any other it is tried again (about 2 s, 8 s, 32 s later and so on, or what
 * Retry-After says), at most max_attempts times. What ended without success is kept for 7 days with its error:
 * edge jobs list, retry, drop. A host that dies in the middle counts as an attempt, and the job begins anew: a
 * function that must not do a thing twice settles that by a key of its own.
 *
 * edge_tx_enqueue adds it in an open transaction, the caller's or the service's: it is there when the
 * transaction commits, and only then.
 *
 *     edge_enqueue(ctx, "sendReceipt", json_pack("{s:s, s:s}", "userId", user, "orderId", id), .key = id);
 */
#define edge_enqueue(ctx, name, payload, ...)                                                                  \
    edge_enqueue_as((ctx), (name), (payload), &(const edge_job_options){ __VA_ARGS__ })
#define edge_tx_enqueue(tx, name, payload, ...)                                                                \
    edge_tx_enqueue_as((tx), (name), (payload), &(const edge_job_options){ __VA_ARGS__ })
int64_t edge_enqueue_as(
    edge_ctx *ctx, const char *name, const json_t *payload, const edge_job_options *options);
int64_t edge_tx_enqueue_as(
    edge_tx *tx, const char *name, const json_t *payload, const edge_job_options *options);

#pragma GCC visibility pop

#endif
