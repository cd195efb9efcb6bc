/*
 * computeGane: scores how far a user's systems are configured and whether PULSE is improving (0..100), and
 * keeps a snapshot of it.
 *
 * Two round trips: the reads in one transaction as the user, the lock and the write in one as the service. A
 * dry run (persist: false) is the first one alone.
 */
#include <edge/edge.h>

#include <math.h>

#include "lib/engine.h"
#include "lib/score.h"

enum {
    WINDOW = 7, /* snapshots on either side of the trend: rows, not days */
};

struct systems {
    double enabled, total, guidelines;
    bool named;
    const edge_rows *pulses; /* newest first */
};

struct gane {
    double utilization, utilization_score, config_score, trend_score, score;
};

static struct systems read_systems(edge_ctx *ctx)
{
    edge_rows *rows[4];
    edge_query_batch(ctx, rows, EDGE_SQL("SELECT full_name <> '' AS named FROM profiles"),
        EDGE_SQL("SELECT count(*) AS total, count(*) FILTER (WHERE enabled) AS enabled FROM agent_config"),
        EDGE_SQL("SELECT count(*) AS count FROM user_guidelines"),
        EDGE_SQL("SELECT score FROM pulse_engine_snapshots"
                 " ORDER BY computed_at DESC, created_at DESC, id DESC"
                 " LIMIT 14"));

    engine_require_profile(ctx, rows[0]);

    return (struct systems){
        .named = edge_rows_bool(rows[0], 0, "named"),
        .total = edge_rows_number(rows[1], 0, "total"),
        .enabled = edge_rows_number(rows[1], 0, "enabled"),
        .guidelines = edge_rows_number(rows[2], 0, "count"),
        .pulses = rows[3],
    };
}

static double sum(const edge_rows *pulses, size_t from, size_t to)
{
    double total = 0;
    for (size_t i = from; i < to; i++)
        total += edge_rows_number(pulses, i, "score");
    return total;
}

/* No older window to compare with is no trend at all (0), which is less than one without a change (15). */
static double trend(const edge_rows *pulses)
{
    size_t count = edge_rows_count(pulses);
    if (count <= WINDOW)
        return 0;
    double improvement =
        sum(pulses, 0, WINDOW) / WINDOW - sum(pulses, WINDOW, count) / (double)(count - WINDOW);
    return fmax(0, fmin(30, 15 + improvement));
}

/* The order of operations is the contract, as in computePulse. */
static struct gane compute(const struct systems *systems)
{
    struct gane gane = {
        .utilization = systems->total > 0 ? (systems->enabled / systems->total) * 100 : 0,
        .config_score = fmin(30, (systems->guidelines * 5) + ((systems->named ? 1 : 0) * 10)),
        .trend_score = trend(systems->pulses),
    };
    gane.utilization_score = (gane.utilization / 100) * 40;
    gane.score = js_round((gane.utilization_score + gane.config_score) + gane.trend_score);
    return gane;
}

static json_t *metrics_json(const struct systems *systems, const struct gane *gane)
{
    json_t *metrics = json_object();
    engine_metric(metrics, "systemsEnabled", systems->enabled);
    engine_metric(metrics, "totalSystems", systems->total);
    engine_metric(metrics, "systemsUtilization", gane->utilization);
    engine_metric(metrics, "guidelinesCount", systems->guidelines);
    engine_metric(metrics, "utilizationScore", gane->utilization_score);
    engine_metric(metrics, "configScore", gane->config_score);
    engine_metric(metrics, "trendScore", gane->trend_score);
    json_object_set_new(metrics, "hasProfile", json_boolean(systems->named));
    return metrics;
}

static json_t *compute_gane(edge_ctx *ctx, json_t *in)
{
    struct systems systems = read_systems(ctx);
    struct gane gane = compute(&systems);

    return engine_answer(ctx, in, &engine_gane, gane.score, metrics_json(&systems, &gane), engine_now(ctx));
}

EDGE_FUNCTION(computeGane,
    .summary = "Scores how far a user's systems are configured, and the trend of PULSE",
    .input = engine_input,
    .output = engine_output,
    .handle = compute_gane);
