/*
 * A worker's share of the job queue: looking, claiming, keeping the leases.
 *
 * There is one look at a time. It begins 20 ms after a job was added here, when a job has ended, and else after
 * a pause that doubles from 20 ms to a second while nothing is found (to 15 s while the database does not
 * answer), so a job added elsewhere begins within a second. Polling needs no connection of its own, as LISTEN
 * would, and works behind a pooler.
 *
 * A lease is renewed every quarter of its time. A job with less than a third of it left is cancelled, which at
 * least one such turn falls into: when the lease has ended another worker may have the job.
 */
#include "queue.h"

#include "schedule.h"
#include "worker/state.h"

#include <edge/db.h>
#include <edge/json.h>

#include <log.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    WORK_MEMORY = 4 * 1024 * 1024
};
static const double pause_first = 0.02, pause_max = 1, pause_unavailable = 15;

struct queue queue;

static struct {
    ev_timer look, keep;
    double pause;
    edge_ctx *looking, *keeping; /* the contexts that do, NULL when none does */
    bool unavailable;
    bool more; /* there was more than there was room for, or something was added while looking */
    struct job *claimed;
    int64_t asked_us;
} state;

/* --- contexts of the host --- */

bool host_work_start(const char *name, const struct context_ops *ops, void *arg, edge_ctx **ctx)
{
    *ctx = context_create(&(const struct context_setup){
        .ops = ops,
        .host = arg,
        .function_index = -1,
        .name = name,
        .generation = "host",
        .memory_bytes = WORK_MEMORY,
    });
    if (*ctx == NULL)
        return false;
    (*ctx)->identity.caller = EDGE_CALLER_SERVICE;
    queue.worker->server.exchange_count++;
    context_run(*ctx);
    return true;
}

void host_work_ended(void)
{
    queue.worker->server.exchange_count--;
    http_server_check_drained(&queue.worker->server);
}

static double lease_seconds(void)
{
    return (double)queue.worker->boot->config->server.job_lease_ms / 1000;
}

static size_t room(void)
{
    size_t most = (size_t)queue.worker->boot->config->server.jobs;
    return queue.running < most ? most - queue.running : 0;
}

/* --- claiming --- */

static void look_in(double seconds)
{
    if (queue.draining)
        return;
    ev_timer_stop(queue.worker->server.loop, &state.look);
    /* Relative to now, not to the loop's cached time. */
    double late = ev_time() - ev_now(queue.worker->server.loop);
    ev_timer_set(&state.look, seconds + late, 0);
    ev_timer_start(queue.worker->server.loop, &state.look);
}

static struct job *job_read(const edge_rows *rows, size_t row)
{
    const char *body = edge_rows_text(rows, row, "body");
    struct job *job = calloc(1, sizeof *job);
    if (job == NULL)
        return NULL;
    *job = (struct job){
        .id = edge_rows_int(rows, row, "id"),
        .attempts = (int)edge_rows_int(rows, row, "attempts"),
        .max_attempts = (int)edge_rows_int(rows, row, "max_attempts"),
        .scheduled = edge_rows_bool(rows, row, "scheduled"),
        .lease_until_us = state.asked_us + queue.worker->boot->config->server.job_lease_ms * 1000,
        .function = strdup(edge_rows_text(rows, row, "function")),
        .body = strdup(body),
    };
    if (job->function != NULL && job->body != NULL)
        return job;
    job_free(job);
    return NULL;
}

static void claim(edge_ctx *ctx)
{
    size_t wanted = room();
    state.asked_us = clock_us();
    edge_error error;
    edge_rows *rows = edge_try_service_query(ctx, &error,
        "SELECT id, function, attempts, max_attempts,"
        " jsonb_typeof(payload) = 'string' AS scheduled,"
        " CASE jsonb_typeof(payload) WHEN 'string' THEN '{}' ELSE payload::text END AS body"
        " FROM public.claim_jobs($1, $2, make_interval(secs => $3::float8))",
        edge_text(queue.name), edge_int((int64_t)wanted), edge_number(lease_seconds()));
    if (rows == NULL)
        edge_fail_error(ctx, &error);

    for (size_t row = edge_rows_count(rows); row-- > 0;) {
        struct job *job = job_read(rows, row);
        if (job == NULL)
            continue; /* its lease runs out */
        job->next = state.claimed;
        state.claimed = job;
    }
    state.more = state.more || edge_rows_count(rows) == wanted;
    if (edge_rows_count(rows) > 0)
        state.pause = pause_first;
}

/* Said once an outage: it lasts for many looks. */
static void look_failed(const edge_ctx *ctx)
{
    if (!state.unavailable)
        log_event(EDGE_LOG_WARN, "jobs_unavailable", { "code", edge_text(ctx->failure->code) },
            { "detail", edge_text(ctx->failure->detail) });
    state.unavailable = true;
    state.more = false;
}

static void looked(edge_ctx *ctx)
{
    if (ctx->failure != NULL)
        look_failed(ctx);
    else if (state.unavailable)
        log_event(EDGE_LOG_INFO, "jobs_available");
    if (ctx->failure == NULL)
        state.unavailable = false;
}

static void look_released(edge_ctx *ctx)
{
    (void)ctx;
    state.looking = NULL;
    while (state.claimed != NULL) {
        struct job *job = state.claimed;
        state.claimed = job->next;
        job_start(job);
    }
    if (state.more) {
        look_in(0);
    } else {
        double most = state.unavailable ? pause_unavailable : pause_max;
        state.pause = state.pause * 2 < most ? state.pause * 2 : most;
        look_in(state.pause);
    }
    host_work_ended();
}

static void look(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)timer, (void)events;
    static const struct context_ops ops = { .main = claim, .finished = looked, .released = look_released };
    if (state.looking != NULL || queue.draining || room() == 0)
        return; /* the end of a job looks again */
    state.more = false;
    if (!host_work_start("_edge/jobs", &ops, NULL, &state.looking))
        look_in(pause_max);
}

void queue_look(void)
{
    if (state.looking != NULL)
        state.more = true;
    else if (!ev_is_active(&state.look))
        look_in(0);
}

void jobs_nudge(void)
{
    if (queue.worker == NULL || queue.worker->boot->config->server.jobs == 0 || queue.draining ||
        state.unavailable)
        return;
    state.pause = pause_first;
    if (state.looking != NULL)
        state.more = true;
    else
        look_in(pause_first);
}

/* --- leases --- */

static struct job *job_find(int64_t id)
{
    struct job *job = queue.jobs;
    while (job != NULL && job->id != id)
        job = job->next;
    return job;
}

static const char **running_ids(edge_ctx *ctx, size_t *count)
{
    const char **ids = edge_alloc(ctx, (queue.running + 1) * sizeof *ids);
    *count = 0;
    for (struct job *job = queue.jobs; job != NULL; job = job->next)
        if (!job->recording)
            ids[(*count)++] = edge_format(ctx, "%lld", (long long)job->id);
    return ids;
}

static void renew(edge_ctx *ctx)
{
    size_t count = 0;
    const char **ids = running_ids(ctx, &count);
    int64_t asked_us = clock_us();
    edge_error error;
    edge_rows *rows = edge_try_service_query(ctx, &error,
        "UPDATE edge.jobs SET locked_until = clock_timestamp() + make_interval(secs => $3::float8)"
        " WHERE id = ANY ($1::bigint[]) AND locked_by = $2 AND finished_at IS NULL"
        " RETURNING id",
        edge_texts(ids, count), edge_text(queue.name), edge_number(lease_seconds()));
    if (rows == NULL)
        edge_fail_error(ctx, &error);
    for (size_t row = 0; row < edge_rows_count(rows); row++) {
        struct job *job = job_find(edge_rows_int(rows, row, "id"));
        if (job != NULL)
            job->lease_until_us = asked_us + queue.worker->boot->config->server.job_lease_ms * 1000;
    }
}

static void renewed(edge_ctx *ctx)
{
    if (ctx->failure != NULL)
        log_event(EDGE_LOG_WARN, "job_leases_not_renewed", { "code", edge_text(ctx->failure->code) },
            { "detail", edge_text(ctx->failure->detail) });
}

static void renew_released(edge_ctx *ctx)
{
    (void)ctx;
    state.keeping = NULL;
    host_work_ended();
}

/* Cancels what another worker may have from now on. One at a time: an end changes the list. */
static void cancel_lost(void)
{
    int64_t margin_us = queue.worker->boot->config->server.job_lease_ms * 1000 / 3;
    struct job *job = queue.jobs;
    while (job != NULL) {
        if (job->recording || job->ctx == NULL || clock_us() < job->lease_until_us - margin_us) {
            job = job->next;
            continue;
        }
        log_event(EDGE_LOG_ERROR, "job_lease_lost", { "job", edge_int(job->id) },
            { "callee", edge_text(job->function) });
        queue.stats.lost++;
        context_cancel(job->ctx, 503, "job_lease_lost", "Another host may have taken the job over");
        job = queue.jobs;
    }
}

static void keep(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)timer, (void)events;
    static const struct context_ops ops = { .main = renew, .finished = renewed, .released = renew_released };
    cancel_lost();
    if (state.keeping == NULL && queue.running > 0)
        host_work_start("_edge/leases", &ops, NULL, &state.keeping);
}

/* --- the worker's --- */

static void make_name(void)
{
    char host[65] = "", id[40];
    gethostname(host, sizeof host - 1);
    context_make_request_id(id);
    snprintf(queue.name, sizeof queue.name, "%s/%d/%.8s", host, (int)getpid(), id);
}

void jobs_start(struct worker *worker)
{
    if (worker->boot->config->database.url == NULL)
        return;
    queue.worker = worker;
    make_name();
    schedule_start(worker);
    if (worker->boot->config->server.jobs == 0)
        return;
    state.pause = pause_first;
    ev_init(&state.look, look);
    double quarter = lease_seconds() / 4;
    ev_timer_init(&state.keep, keep, quarter, quarter);
    ev_timer_start(worker->server.loop, &state.keep);
    look_in(pause_first);
}

void jobs_reconfigured(void)
{
    if (queue.worker != NULL && !queue.draining)
        schedule_reconfigured();
}

void jobs_drain(void)
{
    if (queue.worker == NULL || queue.draining)
        return;
    queue.draining = true;
    ev_timer_stop(queue.worker->server.loop, &state.look);
    schedule_stop();
}

void jobs_stop(void)
{
    if (queue.worker == NULL)
        return;
    jobs_drain();
    ev_timer_stop(queue.worker->server.loop, &state.keep);
    if (state.looking != NULL)
        context_cancel(state.looking, 503, "draining", "The host is stopping");
    if (state.keeping != NULL)
        context_cancel(state.keeping, 503, "draining", "The host is stopping");
    while (queue.jobs != NULL)
        context_cancel(queue.jobs->ctx, 503, "draining", "The host is stopping");
    queue.worker = NULL;
}

const struct jobs_stats *jobs_get_stats(void)
{
    queue.stats.running = queue.running;
    return &queue.stats;
}
