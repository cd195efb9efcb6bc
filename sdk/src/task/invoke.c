/*
 * Calling other functions of the process, and handing work to jobs; see edge/task.h.
 */
#include <context.h>
#include <task.h>

#include <edge/db.h>
#include <edge/json.h>

#include <string.h>

static const struct task_host *host;

void task_use(const struct task_host *used)
{
    host = used;
}

static void caller_gone(struct fiber_wait *wait)
{
    struct invoke_call *call = (struct invoke_call *)(void *)wait;
    if (call->callee != NULL)
        host->leave(call);
}

static void start(void *arg)
{
    host->invoke(arg);
}

void task_invoke(struct invoke_call *call)
{
    call->wait = (struct fiber_wait){ .abandon = caller_gone, .reason = "invoke" };
    if (host == NULL) {
        call->status = 404;
        call->code = "function_not_found";
        call->message = "No other functions are served here";
        call->not_served = true;
        return;
    }
    fiber_on_loop(start, call);
    if (!call->ended)
        fiber_wait(&call->wait);
}

edge_answer *edge_invoke_as(
    edge_ctx *ctx, const char *name, const json_t *body, const edge_invoke_options *options)
{
    struct invoke_call call = {
        .caller = ctx,
        .name = name,
        .timeout_ms = options->timeout_ms,
        .service = options->service,
    };
    call.body = body != NULL ? edge_json_dump(ctx, body, &call.body_length) : "";
    task_invoke(&call);
    if (call.answer == NULL && host != NULL)
        edge_alloc(ctx, ctx->arena.limit_bytes); /* fails, and says that memory has run out */

    edge_answer *answer = edge_alloc(ctx, sizeof *answer);
    *answer = (edge_answer){
        .status = call.status,
        .code = call.code,
        .body = call.answer != NULL ? call.answer : json_null(),
        .headers = call.headers,
    };
    return answer;
}

/* --- jobs --- */

enum {
    KEY_MAX = 200,
    ATTEMPTS_DEFAULT = 5
};

static void nudge(void *arg)
{
    (void)arg;
    if (host != NULL && host->enqueued != NULL)
        host->enqueued();
}

static void check(edge_ctx *ctx, const char *name, const json_t *payload, const edge_job_options *options)
{
    if (name == NULL || name[0] == '\0')
        edge_fail(ctx, 500, "internal_error", "A job needs the name of a function");
    /* The host's own jobs are told by another type (runtime/jobs). */
    if (payload != NULL && !json_is_object(payload))
        edge_fail(ctx, 500, "internal_error", "The payload of a job must be a JSON object");
    if (options->key != NULL && (options->key[0] == '\0' || strlen(options->key) > KEY_MAX))
        edge_fail(ctx, 500, "internal_error", "The key of a job must have 1 to %d bytes", KEY_MAX);
    if (options->max_attempts < 0 || options->delay_ms < 0)
        edge_fail(ctx, 500, "internal_error", "Attempts and delay of a job cannot be negative");
}

/*
 * Without a key $6 is NULL and the job is added as it is. With one, the row of edge.idempotency_keys decides:
 * who finds it there, or waits for the transaction that has it, adds nothing. A key that has had its time but
 * has not been purged counts as none.
 */
#define ENQUEUE_SQL                                                                                            \
    "WITH taken AS ("                                                                                          \
    " INSERT INTO edge.idempotency_keys AS held (scope, user_id, key, request_hash, status, expires_at)"       \
    " SELECT 'job', $1, $6, '', 202, now() + interval '7 days' WHERE $6 IS NOT NULL"                           \
    " ON CONFLICT (scope, user_id, key) DO UPDATE"                                                             \
    " SET created_at = now(), expires_at = EXCLUDED.expires_at"                                                \
    " WHERE held.expires_at <= now()"                                                                          \
    " RETURNING key)"                                                                                          \
    " INSERT INTO edge.jobs (function, payload, run_at, max_attempts)"                                         \
    " SELECT $1, $2, coalesce($3, clock_timestamp()) + make_interval(secs => $4), $5"                          \
    " WHERE $6 IS NULL OR EXISTS (SELECT FROM taken)"                                                          \
    " RETURNING id"

#define ENQUEUE_ARGS                                                                                           \
    edge_text(name), edge_json(payload),                                                                       \
        options->run_at_us != 0 ? edge_time(options->run_at_us) : edge_null(),                                 \
        edge_number((double)options->delay_ms / 1000),                                                         \
        edge_int(options->max_attempts != 0 ? options->max_attempts : ATTEMPTS_DEFAULT),                       \
        edge_text(options->key)

static int64_t enqueued(const edge_rows *rows)
{
    fiber_on_loop(nudge, NULL);
    return edge_rows_count(rows) > 0 ? edge_rows_int(rows, 0, "id") : 0;
}

int64_t edge_enqueue_as(edge_ctx *ctx, const char *name, const json_t *payload, const edge_job_options *options)
{
    check(ctx, name, payload, options);
    if (payload == NULL)
        payload = json_object();
    return enqueued(edge_service_query(ctx, ENQUEUE_SQL, ENQUEUE_ARGS));
}

/*
 * Only the service may write jobs: the role is taken for this statement and given back. All of it travels in
 * one round trip; what fails undoes the transaction, and the role with it.
 */
int64_t edge_tx_enqueue_as(
    edge_tx *tx, const char *name, const json_t *payload, const edge_job_options *options)
{
    check(fiber_context(fiber_current()), name, payload, options);
    if (payload == NULL)
        payload = json_object();
    edge_tx_send(tx, "SELECT set_config('edge.enqueuer', current_setting('role'), true)");
    edge_tx_send(tx, "SELECT set_config('role', 'service_role', true)");
    edge_rows *rows = edge_tx_query(tx, ENQUEUE_SQL, ENQUEUE_ARGS);
    edge_tx_send(tx, "SELECT set_config('role', current_setting('edge.enqueuer'), true)");
    return enqueued(rows);
}
