/*
 * One job: its function's call, and what is written about it.
 *
 * The outcome is written only while the row is still locked by this worker for this attempt, so a job that
 * another host has taken over meanwhile is left to that one.
 */
#include "queue.h"

#include <edge/db.h>
#include <edge/task.h>

#include <log.h>
#include <task.h>

#include <stdlib.h>
#include <string.h>

enum {
    RETRY_FIRST_S = 2,
    RETRY_FACTOR = 4,
    RETRY_MAX_S = 3600,
    RECORD_AGAIN_MS = 500
};

enum outcome {
    JOB_SUCCEEDED,
    JOB_FAILED, /* for good */
    JOB_AGAIN,
    JOB_NOT_SERVED, /* put back as if it had never been taken */
};

/* What the function refuses it would refuse again. */
static bool is_refusal(int status)
{
    static const int refusals[] = { 400, 401, 403, 413, 415, 422, 0 };
    for (const int *one = refusals; *one != 0; one++)
        if (*one == status)
            return true;
    return false;
}

static enum outcome outcome_of(const struct job *job, const struct invoke_call *call)
{
    if (call->not_served)
        return JOB_NOT_SERVED;
    if (call->status < 400)
        return JOB_SUCCEEDED;
    if (job->scheduled || is_refusal(call->status) || job->attempts >= job->max_attempts)
        return JOB_FAILED;
    return JOB_AGAIN;
}

static double delay_seconds(const struct job *job, const struct invoke_call *call)
{
    double delay = RETRY_FIRST_S;
    for (int i = 1; i < job->attempts && delay < RETRY_MAX_S; i++)
        delay *= RETRY_FACTOR;
    if (delay > RETRY_MAX_S)
        delay = RETRY_MAX_S;
    return delay > call->retry_after_seconds ? delay : call->retry_after_seconds;
}

/* A schedule's minute has a row of its own, which is closed with the job. */
static edge_rows *write_end(edge_ctx *ctx, const struct job *job, const char *failure)
{
    edge_error error;
    return edge_try_service_query(ctx, &error,
        "WITH job AS ("
        " UPDATE edge.jobs"
        " SET finished_at = clock_timestamp(), last_error = $4, locked_by = NULL, locked_until = NULL"
        " WHERE id = $1 AND locked_by = $2 AND attempts = $3 AND finished_at IS NULL"
        " RETURNING function,"
        " CASE WHEN jsonb_typeof(payload) = 'string' THEN (payload #>> '{}')::timestamptz END AS minute)"
        ", closed AS ("
        " UPDATE edge.cron_runs AS run"
        " SET finished_at = clock_timestamp(), error = $4,"
        " outcome = CASE WHEN $4 IS NULL THEN 'succeeded' ELSE 'failed' END"
        " FROM job WHERE run.function = job.function AND run.scheduled_for = job.minute)"
        " SELECT 1 FROM job",
        edge_int(job->id), edge_text(queue.name), edge_int(job->attempts), edge_text(failure));
}

/* Jitter of a quarter either way keeps jobs that failed together from coming back together. */
static edge_rows *write_again(edge_ctx *ctx, const struct job *job, const char *failure, double delay)
{
    edge_error error;
    return edge_try_service_query(ctx, &error,
        "UPDATE edge.jobs"
        " SET run_at = clock_timestamp() + make_interval(secs => $5::float8 * (0.75 + random() / 2)),"
        " last_error = $4, locked_by = NULL, locked_until = NULL"
        " WHERE id = $1 AND locked_by = $2 AND attempts = $3 AND finished_at IS NULL",
        edge_int(job->id), edge_text(queue.name), edge_int(job->attempts), edge_text(failure),
        edge_number(delay));
}

/*
 * Another host may serve the function, and be asked next time: soon for a young job, up to a minute later for
 * one that has been waiting for long.
 */
static edge_rows *write_back(edge_ctx *ctx, const struct job *job, const char *failure)
{
    edge_error error;
    return edge_try_service_query(ctx, &error,
        "UPDATE edge.jobs"
        " SET run_at = clock_timestamp() + make_interval(secs =>"
        " least(60, greatest(1, extract(epoch FROM clock_timestamp() - created_at) / 10))::float8),"
        " attempts = attempts - 1, last_error = $4, locked_by = NULL, locked_until = NULL"
        " WHERE id = $1 AND locked_by = $2 AND attempts = $3 AND finished_at IS NULL",
        edge_int(job->id), edge_text(queue.name), edge_int(job->attempts), edge_text(failure));
}

static edge_rows *write_outcome(
    edge_ctx *ctx, const struct job *job, enum outcome outcome, const char *failure, double delay)
{
    if (outcome == JOB_AGAIN)
        return write_again(ctx, job, failure, delay);
    if (outcome == JOB_NOT_SERVED)
        return write_back(ctx, job, failure);
    return write_end(ctx, job, outcome == JOB_FAILED ? failure : NULL);
}

/* As long as the job is ours. What cannot be written is done again by somebody when the lease has run out. */
static void record(edge_ctx *ctx, struct job *job, enum outcome outcome, const char *failure, double delay)
{
    job->recording = true;
    while (write_outcome(ctx, job, outcome, failure, delay) == NULL) {
        if (clock_us() >= job->lease_until_us) {
            edge_log(ctx, EDGE_LOG_ERROR, "job_outcome_lost", { "job", edge_int(job->id) },
                { "callee", edge_text(job->function) });
            return;
        }
        edge_sleep(ctx, RECORD_AGAIN_MS);
    }
}

static void report(
    edge_ctx *ctx, const struct job *job, const struct invoke_call *call, enum outcome outcome, double delay)
{
    static const struct {
        edge_log_level level;
        const char *event;
    } lines[] = {
        [JOB_SUCCEEDED] = { EDGE_LOG_INFO, "job_succeeded" },
        [JOB_FAILED] = { EDGE_LOG_ERROR, "job_dead" },
        [JOB_AGAIN] = { EDGE_LOG_WARN, "job_failed" },
        [JOB_NOT_SERVED] = { EDGE_LOG_DEBUG, "job_not_served" },
    };
    uint64_t *counters[] = { &queue.stats.succeeded, &queue.stats.dead, &queue.stats.retried };
    if (outcome != JOB_NOT_SERVED)
        (*counters[outcome])++;
    edge_log(ctx, lines[outcome].level, lines[outcome].event, { "job", edge_int(job->id) },
        { "callee", edge_text(job->function) }, { "attempt", edge_int(job->attempts) },
        { "status", edge_int(call->status) }, { "code", edge_text(call->code) },
        { "retryInMs", outcome == JOB_AGAIN ? edge_int((int64_t)(delay * 1000)) : edge_null() });
}

static void on_main(edge_ctx *ctx)
{
    struct job *job = ctx->host;
    struct invoke_call call = {
        .caller = ctx,
        .name = job->function,
        .body = job->body,
        .body_length = strlen(job->body),
        .answer_unread = true,
    };
    task_invoke(&call);

    enum outcome outcome = outcome_of(job, &call);
    double delay = delay_seconds(job, &call);
    const char *failure =
        outcome == JOB_SUCCEEDED
            ? NULL
            : edge_format(ctx, "%d %s: %s", call.status, call.code != NULL ? call.code : "failed",
                  call.message != NULL ? call.message : "the function answered so");
    record(ctx, job, outcome, failure, delay);
    report(ctx, job, &call, outcome, delay);
}

/* The job's last touch: whoever claims it next is somebody else. */
static void take_off(struct job *job)
{
    if (job->previous != NULL)
        job->previous->next = job->next;
    else
        queue.jobs = job->next;
    if (job->next != NULL)
        job->next->previous = job->previous;
    queue.running--;
    job_free(job);
}

static void on_finished(edge_ctx *ctx)
{
    (void)ctx;
}

static void on_released(edge_ctx *ctx)
{
    take_off(ctx->host);
    host_work_ended();
    queue_look();
}

void job_free(struct job *job)
{
    free(job->function);
    free(job->body);
    free(job);
}

void job_start(struct job *job)
{
    job->previous = NULL;
    job->next = queue.jobs;
    if (job->next != NULL)
        job->next->previous = job;
    queue.jobs = job;
    queue.running++;
    queue.stats.claimed++;
    static const struct context_ops ops = { .main = on_main, .finished = on_finished, .released = on_released };
    if (!host_work_start("_edge/job", &ops, job, &job->ctx))
        take_off(job); /* its lease runs out, and it is taken again */
}
