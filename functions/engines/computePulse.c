/*
 * computePulse: scores a user's execution over the last 30 days (0..100) and keeps a snapshot of it.
 *
 * Two round trips: the reads in one transaction as the user, the lock and the write in one as the service. A
 * dry run (persist: false) is the first one alone.
 */
#include <edge/edge.h>

#include <math.h>

#include "lib/engine.h"
#include "lib/score.h"

struct activity {
    double total, completed, last_7_days, active_goals;
};

struct pulse {
    double completion_rate, volume, completion, consistency, score;
};

static struct activity read_activity(edge_ctx *ctx, int64_t now)
{
    edge_rows *rows[3];
    edge_query_batch(ctx, rows, EDGE_SQL("SELECT id FROM profiles"),
        EDGE_SQL("SELECT count(*) AS total,"
                 " count(*) FILTER (WHERE status = 'completed') AS completed,"
                 " count(*) FILTER (WHERE created_at >= $1 - interval '168 hours') AS last_7_days"
                 " FROM daily_actions"
                 " WHERE created_at >= $1 - interval '720 hours'",
            edge_time(now)),
        EDGE_SQL("SELECT count(*) AS active FROM goals WHERE status = 'active'"));

    engine_require_profile(ctx, rows[0]);

    return (struct activity){
        .total = edge_rows_number(rows[1], 0, "total"),
        .completed = edge_rows_number(rows[1], 0, "completed"),
        .last_7_days = edge_rows_number(rows[1], 0, "last_7_days"),
        .active_goals = edge_rows_number(rows[2], 0, "active"),
    };
}

/* The order of operations is the contract: 23 of 40 is 57.49999999999999 per cent, and rounds to 57. */
static struct pulse compute(const struct activity *done)
{
    struct pulse pulse = {
        .completion_rate = done->total > 0 ? (done->completed / done->total) * 100 : 0,
        .volume = fmin(40, (done->total / 30) * 40),
        .consistency = fmin(20, (done->last_7_days / 7) * 20),
    };
    pulse.completion = (pulse.completion_rate / 100) * 40;
    pulse.score = js_round((pulse.volume + pulse.completion) + pulse.consistency);
    return pulse;
}

static json_t *metrics_json(const struct activity *done, const struct pulse *pulse)
{
    json_t *metrics = json_object();
    engine_metric(metrics, "totalActions", done->total);
    engine_metric(metrics, "completedActions", done->completed);
    engine_metric(metrics, "completionRate", pulse->completion_rate);
    engine_metric(metrics, "last7DaysActions", done->last_7_days);
    engine_metric(metrics, "volumeScore", pulse->volume);
    engine_metric(metrics, "completionScore", pulse->completion);
    engine_metric(metrics, "consistencyScore", pulse->consistency);
    engine_metric(metrics, "activeGoals", done->active_goals);
    return metrics;
}

static json_t *compute_pulse(edge_ctx *ctx, json_t *in)
{
    int64_t now = engine_now(ctx);

    struct activity done = read_activity(ctx, now);
    struct pulse pulse = compute(&done);

    return engine_answer(ctx, in, &engine_pulse, pulse.score, metrics_json(&done, &pulse), now);
}

EDGE_FUNCTION(computePulse,
    .summary = "Scores a user's execution over the last 30 days",
    .input = engine_input,
    .output = engine_output,
    .handle = compute_pulse);
