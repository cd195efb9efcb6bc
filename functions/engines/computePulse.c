/*
 * computePulse: scores a user's execution over the last 30 days (0..100) and keeps a snapshot of it.
 *
 * Two round trips: the reads in one transaction as the user, the lock and the write in one as the service,
 * because users may read snapshots but not make them. A dry run (persist: false) is the first one alone.
 */
#include <edge/edge.h>

#include <math.h>

#include "lib/score.h"

static const edge_field input[] = {
    { "userId", EDGE_USER, .help = "Whom to score; required under the service key" },
    { "persist", EDGE_BOOL, .fallback = "true", .help = "false computes only and writes nothing" },
    { 0 },
};

struct activity {
    double total, completed, last_7_days, active_goals;
};

struct pulse {
    double completion_rate, volume, completion, consistency, score;
};

/* One instant for every window of the call, in JavaScript's precision: milliseconds. */
static int64_t millisecond_now(edge_ctx *ctx)
{
    return edge_now(ctx) / 1000 * 1000;
}

static struct activity read_activity(edge_ctx *ctx, const char *user, int64_t now)
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

    if (edge_rows_count(rows[0]) == 0)
        edge_fail(ctx, 404, "user_not_found", "User \"%s\" does not exist", user);

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
    const struct {
        const char *name;
        double value;
    } metrics[] = {
        { "totalActions", done->total },
        { "completedActions", done->completed },
        { "completionRate", pulse->completion_rate },
        { "last7DaysActions", done->last_7_days },
        { "volumeScore", pulse->volume },
        { "completionScore", pulse->completion },
        { "consistencyScore", pulse->consistency },
        { "activeGoals", done->active_goals },
    };
    json_t *object = json_object();
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++)
        json_object_set_new(object, metrics[i].name, json_integer((json_int_t)js_round(metrics[i].value)));
    return object;
}

/*
 * Keeps the snapshot and returns its time. An equal one of the last minute is used again: a call that is
 * retried stays one row, and computeGane's trend counts rows. A change outdates the cached context that shows
 * the score.
 *
 * The lock makes "the latest snapshot" one thing for two calls at once. It is a statement of its own because a
 * statement sees the rows of its start: the one that had to wait must look only after it has waited.
 */
static int64_t keep_snapshot(edge_ctx *ctx, const char *user, double score, const json_t *metrics, int64_t now)
{
    edge_rows *rows[2];
    edge_service_query_batch(ctx, rows,
        EDGE_SQL("SELECT pg_advisory_xact_lock(hashtextextended('computePulse:' || $1, 0))", edge_text(user)),
        EDGE_SQL("WITH latest AS ("
                 " SELECT computed_at, score = $2 AND metrics = $3 AS same"
                 " FROM pulse_engine_snapshots"
                 " WHERE user_id = $1"
                 " ORDER BY computed_at DESC, created_at DESC, id DESC"
                 " LIMIT 1"
                 "), reused AS ("
                 " SELECT computed_at FROM latest WHERE same AND computed_at > $4 - interval '60 seconds'"
                 "), inserted AS ("
                 " INSERT INTO pulse_engine_snapshots (user_id, score, metrics, computed_at)"
                 " SELECT $1, $2, $3, $4"
                 " WHERE NOT EXISTS (SELECT FROM reused)"
                 " RETURNING computed_at"
                 "), outdated AS ("
                 " UPDATE graph_context_cache SET expires_at = $4"
                 " WHERE user_id = $1 AND expires_at > $4"
                 " AND NOT EXISTS (SELECT FROM latest WHERE same)"
                 ")"
                 " SELECT computed_at FROM reused UNION ALL SELECT computed_at FROM inserted",
            edge_text(user), edge_number(score), edge_json(metrics), edge_time(now)));

    return edge_rows_time(rows[1], 0, "computed_at");
}

static json_t *compute_pulse(edge_ctx *ctx, json_t *in)
{
    const char *user = edge_auth_user(ctx);
    int64_t now = millisecond_now(ctx);

    struct activity done = read_activity(ctx, user, now);
    struct pulse pulse = compute(&done);
    json_t *metrics = metrics_json(&done, &pulse);

    bool persist = edge_json_bool(in, "persist", true);
    int64_t computed_at = persist ? keep_snapshot(ctx, user, pulse.score, metrics, now) : now;

    return json_pack("{s:I, s:o, s:s, s:s, s:b}", "score", (json_int_t)pulse.score, "metrics", metrics, "band",
        score_band(pulse.score), "computedAt", edge_iso_time(ctx, computed_at), "persisted", persist);
}

EDGE_FUNCTION(computePulse,
    .summary = "Scores a user's execution over the last 30 days",
    .input = input,
    .handle = compute_pulse);
