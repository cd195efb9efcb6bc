/*
 * Firing schedules; see schedule.h.
 *
 * Every worker of every host looks at each minute; the primary key of edge.cron_runs lets one of them through,
 * and the same statement adds the job, so a minute that has been taken is a job that somebody will do. The
 * job's payload is the minute as a JSON string, by which the queue knows it; the function is given {}.
 *
 * Local times come from PostgreSQL (AT TIME ZONE): the C library knows one zone a process, and hosts that
 * share a database should not differ in what its zones are.
 *
 * catch_up: minutes since the newest one that anybody fired, of the last 24 hours and at most the last 60 due
 * ones, are fired late. Every statement of a worker covers all minutes since its last one that went through, so
 * a newer row never hides an older minute. Without it a minute is fired while it lasts, or not at all.
 */
#include "schedule.h"

#include "clock.h"
#include "due.h"
#include "plugin/routing.h"
#include "queue.h"
#include "worker/state.h"

#include <edge/db.h>

#include <log.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    MINUTE_S = 60,
    CATCH_UP_MINUTES = 24 * 60,
    CATCH_UP_MAX = 60,
    ATTEMPTS_MAX = 3 /* hosts that may die over a minute; a failure of the function is not tried again */
};
static const int64_t minute_us = 60 * INT64_C(1000000);
static const double again_seconds = 5, look_seconds = 10;

static struct {
    struct worker *worker;
    ev_timer timer;
    edge_ctx *firing;
    struct routing *routing; /* of firing: it may wait while the worker changes over to another */
    int64_t done_minute;     /* the last one that was looked at; 0: none yet */
    int64_t firing_minute;   /* Unix time / 60 */
    bool unavailable;
} schedule;

/* --- minutes --- */

/* What the zone's clock shows in count minutes from first on. */
static int64_t *local_minutes(edge_ctx *ctx, const char *zone, int64_t first, size_t count)
{
    int64_t *local = edge_alloc(ctx, count * sizeof *local);
    if (strcmp(zone, "UTC") == 0) {
        for (size_t i = 0; i < count; i++)
            local[i] = (first + (int64_t)i) * MINUTE_S;
        return local;
    }
    edge_rows *rows = edge_service_query(ctx,
        "SELECT extract(epoch FROM to_timestamp($2::float8 + minute * 60) AT TIME ZONE $1)::bigint AS local"
        " FROM generate_series(0, $3 - 1) AS minute ORDER BY minute",
        edge_text(zone), edge_int(first * MINUTE_S), edge_int((int64_t)count));
    for (size_t i = 0; i < count && i < edge_rows_count(rows); i++)
        local[i] = edge_rows_int(rows, i, "local");
    return local;
}

/* First minute that is to be looked at: this one, or for who catches up the first since the last look. */
static int64_t first_minute(const struct function_config *function)
{
    int64_t oldest = schedule.firing_minute - CATCH_UP_MINUTES;
    if (!function->catch_up)
        return schedule.firing_minute;
    return schedule.done_minute + 1 > oldest ? schedule.done_minute + 1 : oldest;
}

/* The newest CATCH_UP_MAX due minutes as texts of Unix seconds, newest first; returns how many. */
static size_t due_texts(edge_ctx *ctx, const struct function_config *function, const char **texts)
{
    struct cron cron;
    char problem[128];
    if (!cron_parse(function->schedule, &cron, problem, sizeof problem))
        return 0; /* refused when the configuration was read */
    int64_t first = first_minute(function) - DUE_BEFORE;
    size_t count = (size_t)(schedule.firing_minute - first + 1), found = 0;
    int64_t *local = local_minutes(ctx, function->timezone, first, count);
    bool *fires = edge_alloc(ctx, count * sizeof *fires);
    due_minutes(&cron, local, count, fires);
    for (size_t i = count; i-- > DUE_BEFORE && found < CATCH_UP_MAX;)
        if (fires[i])
            texts[found++] = edge_format(ctx, "%lld", (long long)((first + (int64_t)i) * MINUTE_S));
    return found;
}

/* --- firing --- */

static void fire(edge_ctx *ctx, const struct function_config *function, const char *host)
{
    const char *texts[CATCH_UP_MAX];
    size_t count = due_texts(ctx, function, texts);
    if (count == 0)
        return;
    edge_rows *rows = edge_service_query(ctx,
        "WITH fired AS ("
        " INSERT INTO edge.cron_runs (function, scheduled_for, host)"
        " SELECT $1, to_timestamp(second::float8), $3 FROM unnest($2) AS second"
        " WHERE to_timestamp(second::float8) >= to_timestamp($4::float8)"
        " OR to_timestamp(second::float8) >"
        " (SELECT max(scheduled_for) FROM edge.cron_runs WHERE function = $1)"
        " ON CONFLICT DO NOTHING"
        " RETURNING scheduled_for)"
        " INSERT INTO edge.jobs (function, payload, max_attempts)"
        " SELECT $1, to_jsonb(to_char(scheduled_for AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI\"Z\"')), $5"
        " FROM fired ORDER BY scheduled_for"
        " RETURNING payload #>> '{}' AS minute",
        edge_text(function->name), edge_texts(texts, count), edge_text(host),
        edge_int(schedule.firing_minute * MINUTE_S), edge_int(ATTEMPTS_MAX));
    for (size_t row = 0; row < edge_rows_count(rows); row++) {
        queue.stats.fired++;
        edge_log(ctx, EDGE_LOG_INFO, "schedule_fired", { "callee", edge_text(function->name) },
            { "minute", edge_text(edge_rows_text(rows, row, "minute")) });
    }
    if (edge_rows_count(rows) > 0)
        jobs_nudge();
}

static bool is_served(const struct function_config *function)
{
    return function->schedule != NULL && function->enabled;
}

static void on_main(edge_ctx *ctx)
{
    char host[65] = "";
    gethostname(host, sizeof host - 1);
    const struct config *config = schedule.routing->config;
    for (size_t i = 0; i < config->function_count; i++)
        if (is_served(&config->functions[i]))
            fire(ctx, &config->functions[i], host);
}

static void look_in(double seconds)
{
    if (queue.draining)
        return;
    double late = ev_time() - ev_now(schedule.worker->server.loop);
    ev_timer_stop(schedule.worker->server.loop, &schedule.timer);
    ev_timer_set(&schedule.timer, seconds + late, 0);
    ev_timer_start(schedule.worker->server.loop, &schedule.timer);
}

/* At the next minute's beginning; sooner than that now and then, since a clock may be set. */
static void look_next(void)
{
    double until = jobs_clock_until((jobs_clock_us() / minute_us + 1) * minute_us);
    look_in(until < look_seconds ? until + 0.002 : look_seconds);
}

static void on_finished(edge_ctx *ctx)
{
    if (ctx->failure == NULL) {
        schedule.done_minute = schedule.firing_minute;
        schedule.unavailable = false;
    } else if (!schedule.unavailable) {
        schedule.unavailable = true;
        log_event(EDGE_LOG_WARN, "schedules_unavailable", { "code", edge_text(ctx->failure->code) },
            { "detail", edge_text(ctx->failure->detail) });
    }
}

static void on_released(edge_ctx *ctx)
{
    (void)ctx;
    schedule.firing = NULL;
    routing_release(schedule.routing);
    if (schedule.unavailable)
        look_in(again_seconds);
    else
        look_next();
    host_work_ended();
}

static void look(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)timer, (void)events;
    static const struct context_ops ops = { .main = on_main, .finished = on_finished, .released = on_released };
    int64_t minute = jobs_clock_us() / minute_us;
    if (schedule.firing != NULL)
        return;
    if (minute <= schedule.done_minute) {
        look_next();
        return;
    }
    schedule.firing_minute = minute;
    revision_follow(schedule.worker);
    schedule.routing = schedule.worker->revision->routing;
    routing_use(schedule.routing);
    if (host_work_start("_edge/schedule", &ops, NULL, &schedule.firing))
        return;
    routing_release(schedule.routing);
    look_in(again_seconds);
}

/* --- the worker's --- */

void schedule_reconfigured(void)
{
    const struct config *config = schedule.worker->revision->routing->config;
    bool any = false;
    for (size_t i = 0; i < config->function_count; i++)
        any = any || is_served(&config->functions[i]);
    if (!any)
        ev_timer_stop(schedule.worker->server.loop, &schedule.timer);
    else if (schedule.firing == NULL)
        look_in(0);
}

void schedule_start(struct worker *worker)
{
    schedule.worker = worker;
    jobs_clock_start(worker->boot->sandbox);
    ev_init(&schedule.timer, look);
    schedule_reconfigured();
}

void schedule_stop(void)
{
    ev_timer_stop(schedule.worker->server.loop, &schedule.timer);
    if (schedule.firing != NULL)
        context_cancel(schedule.firing, 503, "draining", "The host is stopping");
}
