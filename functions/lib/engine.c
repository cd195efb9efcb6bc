/*
 * Snapshots of the engines' scores, and their answers.
 */
#include "lib/engine.h"

#include "lib/score.h"

/*
 * An equal snapshot of the last minute is used again: a call that is retried stays one row, and computeGane's
 * trend counts rows. A change outdates the cached context that shows the score.
 */
#define KEEP_SQL(table)                                                                                        \
    "WITH latest AS ("                                                                                         \
    " SELECT computed_at, score = $2 AND metrics = $3 AS same"                                                 \
    " FROM " table " WHERE user_id = $1"                                                                       \
    " ORDER BY computed_at DESC, created_at DESC, id DESC"                                                     \
    " LIMIT 1"                                                                                                 \
    "), reused AS ("                                                                                           \
    " SELECT computed_at FROM latest WHERE same AND computed_at > $4 - interval '60 seconds'"                  \
    "), inserted AS ("                                                                                         \
    " INSERT INTO " table " (user_id, score, metrics, computed_at)"                                            \
    " SELECT $1, $2, $3, $4"                                                                                   \
    " WHERE NOT EXISTS (SELECT FROM reused)"                                                                   \
    " RETURNING computed_at"                                                                                   \
    "), outdated AS ("                                                                                         \
    " UPDATE graph_context_cache SET expires_at = $4"                                                          \
    " WHERE user_id = $1 AND expires_at > $4"                                                                  \
    " AND NOT EXISTS (SELECT FROM latest WHERE same)"                                                          \
    ")"                                                                                                        \
    " SELECT computed_at FROM reused UNION ALL SELECT computed_at FROM inserted"

const struct engine engine_pulse = { "computePulse", KEEP_SQL("pulse_engine_snapshots") };
const struct engine engine_gane = { "computeGane", KEEP_SQL("gane_engine_snapshots") };
const struct engine engine_moro = { "computeMoro", KEEP_SQL("moro_engine_snapshots") };

const edge_field engine_input[] = {
    { "userId", EDGE_USER, .help = "Whom to score; required under the service key" },
    { "persist", EDGE_BOOL, .fallback = "true", .help = "false computes only and writes nothing" },
    { 0 },
};

static const char *const bands[] = { "Critical", "At Risk", "Healthy", "Optimized", NULL };

const edge_field engine_output[] = {
    { "score", EDGE_NUMBER, 0, 100, .required = true, .help = "The whole score" },
    { "band", EDGE_ENUM, .values = bands, .required = true, .help = "What the score means" },
    { "metrics", EDGE_OBJECT, .required = true, .help = "The figures behind it, by name" },
    { "computedAt", EDGE_DATETIME, .required = true, .help = "When it was computed" },
    { "persisted", EDGE_BOOL, .required = true, .help = "Whether the snapshot has been kept" },
    { 0 },
};

const edge_field engine_scores[] = {
    { "pulse", EDGE_NUMBER, .required = true, .help = "Execution" },
    { "gane", EDGE_NUMBER, .required = true, .help = "System intelligence" },
    { "moro", EDGE_NUMBER, .required = true, .help = "Market opportunity" },
    { "overall", EDGE_NUMBER, .required = true, .help = "Their mean" },
    { 0 },
};

const edge_field engine_forecast[] = {
    { "growthPotential", EDGE_NUMBER, .required = true, .help = "The scores, weighted" },
    { 0 },
};

const edge_field engine_metrics[] = {
    { "pulse", EDGE_OBJECT, .required = true },
    { "gane", EDGE_OBJECT, .required = true },
    { "moro", EDGE_OBJECT, .required = true },
    { 0 },
};

const edge_field engine_bands[] = {
    { "pulse", EDGE_ENUM, .values = bands, .required = true },
    { "gane", EDGE_ENUM, .values = bands, .required = true },
    { "moro", EDGE_ENUM, .values = bands, .required = true },
    { "overall", EDGE_ENUM, .values = bands, .required = true },
    { 0 },
};

static const char *const warnings[] = { "pulse_recompute_failed", "gane_recompute_failed",
    "moro_recompute_failed", "cache_write_failed", NULL };

const edge_field engine_warning = { .type = EDGE_ENUM, .values = warnings };

int64_t engine_now(edge_ctx *ctx)
{
    return edge_now(ctx) / 1000 * 1000;
}

void engine_require_profile(edge_ctx *ctx, const edge_rows *profiles)
{
    if (edge_rows_count(profiles) == 0)
        edge_fail(ctx, 404, "user_not_found", "User \"%s\" does not exist", edge_auth_user(ctx));
}

void engine_metric(json_t *metrics, const char *name, double value)
{
    json_object_set_new(metrics, name, json_integer((json_int_t)js_round(value)));
}

/*
 * Keeps the snapshot and returns its time.
 *
 * The lock makes "the latest snapshot" one thing for two calls at once. It is a statement of its own because a
 * statement sees the rows of its start: the one that had to wait must look only after it has waited.
 */
static int64_t keep(
    edge_ctx *ctx, const struct engine *engine, double score, const json_t *metrics, int64_t now)
{
    const char *user = edge_auth_user(ctx);
    edge_rows *rows[2];
    edge_service_query_batch(ctx, rows,
        EDGE_SQL("SELECT pg_advisory_xact_lock(hashtextextended($1 || ':' || $2, 0))",
            edge_text(engine->function), edge_text(user)),
        { engine->keep_sql,
            EDGE_ARGS(edge_text(user), edge_number(score), edge_json(metrics), edge_time(now)) });

    return edge_rows_time(rows[1], 0, "computed_at");
}

json_t *engine_answer(
    edge_ctx *ctx, json_t *in, const struct engine *engine, double score, json_t *metrics, int64_t now)
{
    bool persist = edge_json_bool(in, "persist", true);
    int64_t computed_at = persist ? keep(ctx, engine, score, metrics, now) : now;

    return json_pack("{s:I, s:O, s:s, s:s, s:b}", "score", (json_int_t)score, "metrics", metrics, "band",
        score_band(score), "computedAt", edge_iso_time(ctx, computed_at), "persisted", persist);
}
