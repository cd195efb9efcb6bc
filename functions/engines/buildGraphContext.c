/*
 * buildGraphContext: the three scores together, a forecast and a coach's remark, kept per user in
 * graph_context_cache.
 *
 * A cached context is one round trip. Otherwise one caller rebuilds it, in whatever worker or host, and the
 * others wait for that (a lease). A rebuild is four round trips: the lease, one read, one write, the lease
 * again; with two more for each engine whose score is old, where MORO's are at the same time as the others'.
 */
#include <edge/edge.h>

#include <stdlib.h>

#include "lib/account.h"
#include "lib/engine.h"
#include "lib/insight.h"
#include "lib/lease.h"
#include "lib/score.h"

#define SECOND_US ((int64_t)1000000)

enum {
    CACHED_SECONDS = 15 * 60,
    FALLBACK_CACHED_SECONDS = 2 * 60,
    ENGINE_FRESH_HOURS = 24,
    ENGINE_TIMEOUT_MS = 5000,
    INSIGHT_TIMEOUT_MS = 10000,
    REBUILD_TIMEOUT_MS = 24000, /* from the call's start, within its 25 s */
    WAIT_MS = 12000,            /* unless GRAPH_CONTEXT_WAIT_MS says less */
    LEASE_SECONDS = 30,
};

static const edge_field input[] = {
    { "userId", EDGE_USER, .help = "Whose context; required under the service key" },
    { "fresh", EDGE_BOOL, .fallback = "false", .help = "Do not answer what is cached" },
    { "recompute", EDGE_BOOL, .fallback = "false", .help = "Do not use stored scores either" },
    { 0 },
};

static const edge_field cache_fields[] = {
    { "hit", EDGE_BOOL, .required = true, .help = "Whether an earlier call built it" },
    { "stale", EDGE_BOOL, .required = true, .help = "Whether it has expired" },
    { "expiresAt", EDGE_DATETIME, .required = true },
    { 0 },
};

static const edge_field output[] = {
    ENGINE_CONTEXT_MEMBERS(true),
    { "cache", EDGE_OBJECT, .fields = cache_fields, .required = true, .help = "Where it comes from" },
    { 0 },
};

struct engine_state {
    const char *name, *function;
    double score;
    json_t *metrics;
    const char *computed_at; /* as PostgreSQL reads it; NULL: never */
    bool stale, failed;
};

enum engine_index {
    PULSE,
    GANE,
    MORO,
    ENGINE_COUNT,
};

struct build {
    edge_ctx *ctx;
    const char *user;
    int64_t now;
    bool fresh, recompute;
    struct engine_state engines[ENGINE_COUNT];
};

/* Milliseconds left of some that began with the call. */
static int64_t left_ms(const struct build *build, int64_t all_ms)
{
    return all_ms - (edge_now_exact() - build->now) / 1000;
}

static int64_t wait_left_ms(const struct build *build)
{
    const char *set = edge_env(build->ctx, "GRAPH_CONTEXT_WAIT_MS");
    int64_t wait_ms = set != NULL ? atoll(set) : WAIT_MS;
    return left_ms(build, wait_ms < WAIT_MS ? wait_ms : WAIT_MS);
}

static json_t *with_cache(edge_ctx *ctx, json_t *context, bool hit, bool stale, int64_t expires_at)
{
    json_object_set_new(context, "cache",
        json_pack("{s:b, s:b, s:s}", "hit", hit, "stale", stale, "expiresAt", edge_iso_time(ctx, expires_at)));
    return context;
}

static json_t *stored(const struct build *build, const edge_rows *cached, bool stale)
{
    return with_cache(build->ctx, edge_rows_value(cached, 0, "context"), true, stale,
        edge_rows_time(cached, 0, "expires_at"));
}

/*
 * The cached context if this caller may have it: not expired, and written since the call began if it is to be
 * fresh. NULL otherwise.
 */
static json_t *usable(const struct build *build, const edge_rows *cached)
{
    if (build->recompute || edge_rows_count(cached) == 0)
        return NULL;
    if (edge_rows_time(cached, 0, "expires_at") <= edge_now_exact())
        return NULL;
    if (build->fresh && edge_rows_time(cached, 0, "updated_at") < build->now)
        return NULL;
    return stored(build, cached, false);
}

static const edge_rows *read_cached(const struct build *build)
{
    const bool wanted[ACCOUNT_SECTION_COUNT] = { [ACCOUNT_GRAPH] = true };
    return account_read(build->ctx, wanted, 0)->sections[ACCOUNT_GRAPH];
}

static json_t *answer_old(const struct build *build)
{
    const edge_rows *cached = read_cached(build);
    if (edge_rows_count(cached) > 0)
        return stored(build, cached, true);
    edge_fail_with(build->ctx, 504, "timeout",
        .message = "The context is still being built, try again in a moment",
        .extra = json_pack("{s:s}", "type", "timeout"));
}

static void take_snapshot(struct build *build, enum engine_index index, const edge_rows *latest)
{
    struct engine_state *engine = &build->engines[index];
    engine->metrics = json_object();
    engine->stale = true;
    if (edge_rows_count(latest) == 0)
        return;
    engine->score = edge_rows_number(latest, 0, "score");
    engine->metrics = edge_rows_value(latest, 0, "metrics");
    engine->computed_at = edge_rows_text(latest, 0, "computed_at");
    engine->stale = build->recompute || edge_rows_bool(latest, 0, "stale");
}

#define LATEST_SQL(table)                                                                                      \
    "SELECT score, metrics, computed_at, computed_at < $1 - make_interval(hours => $2) AS stale"               \
    " FROM " table " ORDER BY computed_at DESC, created_at DESC, id DESC LIMIT 1"

/* Reads the scores that are stored; answers the context of somebody who was faster, else NULL. */
static json_t *read_state(struct build *build)
{
    edge_arg now = edge_time(build->now), hours = edge_int(ENGINE_FRESH_HOURS);
    edge_rows *rows[5];
    edge_query_batch(build->ctx, rows, EDGE_SQL("SELECT id FROM profiles"),
        EDGE_SQL(LATEST_SQL("pulse_engine_snapshots"), now, hours),
        EDGE_SQL(LATEST_SQL("gane_engine_snapshots"), now, hours),
        EDGE_SQL(LATEST_SQL("moro_engine_snapshots"), now, hours),
        EDGE_SQL("SELECT context, expires_at, updated_at FROM graph_context_cache"));

    engine_require_profile(build->ctx, rows[0]);
    for (int i = 0; i < ENGINE_COUNT; i++)
        take_snapshot(build, i, rows[1 + i]);
    return usable(build, rows[4]);
}

/* Has an engine score anew; its score and metrics come from one answer. A failure leaves the old ones. */
static void *recompute(edge_ctx *ctx, void *arg)
{
    struct engine_state *engine = arg;
    edge_answer *answer = edge_invoke(ctx, engine->function, json_pack("{s:s}", "userId", edge_auth_user(ctx)),
        .timeout_ms = ENGINE_TIMEOUT_MS);

    if (answer->status >= 400) {
        edge_log(ctx, EDGE_LOG_WARN, "engine_failed", { "engine", edge_text(engine->name) },
            { "code", edge_text(answer->code) });
        engine->failed = true;
        return NULL;
    }
    engine->score = edge_json_number(answer->body, "score", 0);
    engine->metrics = json_object_get(answer->body, "metrics");
    engine->computed_at = edge_json_text(answer->body, "computedAt");
    return NULL;
}

/* PULSE before GANE, whose trend looks at PULSE's snapshots. */
static void recompute_stale(struct build *build)
{
    struct engine_state *engines = build->engines;
    edge_task *moro = engines[MORO].stale ? edge_spawn(build->ctx, recompute, &engines[MORO]) : NULL;
    if (engines[PULSE].stale)
        recompute(build->ctx, &engines[PULSE]);
    if (engines[GANE].stale)
        recompute(build->ctx, &engines[GANE]);
    if (moro != NULL)
        edge_await(build->ctx, moro);
}

static json_t *make_context(const struct build *build)
{
    double p = build->engines[PULSE].score, g = build->engines[GANE].score, m = build->engines[MORO].score;
    double overall = js_round(((p + g) + m) / 3);
    double growth = js_round(((p * 0.4) + (g * 0.3)) + (m * 0.3));
    int64_t insight_ms = left_ms(build, REBUILD_TIMEOUT_MS);

    json_t *scores = json_object(), *metrics = json_object(), *bands = json_object(), *warnings = json_array();
    for (int i = 0; i < ENGINE_COUNT; i++) {
        const struct engine_state *engine = &build->engines[i];
        json_object_set_new(scores, engine->name, json_real(engine->score));
        json_object_set(metrics, engine->name, engine->metrics);
        json_object_set_new(bands, engine->name, json_string(score_band(engine->score)));
        if (engine->failed)
            json_array_append_new(warnings, json_sprintf("%s_recompute_failed", engine->name));
    }
    json_object_set_new(scores, "overall", json_real(overall));
    json_object_set_new(bands, "overall", json_string(score_band(overall)));

    return json_pack("{s:s, s:s, s:o, s:{s:f}, s:o, s:o, s:o, s:o}", "timestamp",
        edge_iso_time(build->ctx, build->now), "userId", build->user, "scores", scores, "forecast",
        "growthPotential", growth, "insights",
        insight_ask(
            build->ctx, p, g, m, insight_ms < INSIGHT_TIMEOUT_MS ? insight_ms : (int64_t)INSIGHT_TIMEOUT_MS),
        "metrics", metrics, "bands", bands, "warnings", warnings);
}

/*
 * Keeps the context and returns when it expires: at once when a newer score has been stored meanwhile.
 *
 * The engines' own locks are held, because an engine expires the context that it finds: one that is about to
 * commit would find the old context, and this write would not find its score.
 */
static bool keep(const struct build *build, const json_t *context, int64_t expires_at, edge_rows **kept)
{
    edge_error error;
    edge_rows *rows[2];
    bool written = edge_try_service_query_batch(build->ctx, &error, rows,
        EDGE_SQL("SELECT pg_advisory_xact_lock(hashtextextended(engine || ':' || $1, 0))"
                 " FROM unnest(ARRAY['computeGane', 'computeMoro', 'computePulse']) AS engine",
            edge_text(build->user)),
        EDGE_SQL("INSERT INTO graph_context_cache (user_id, context, expires_at)"
                 " SELECT $1, $2, CASE WHEN EXISTS (SELECT FROM pulse_engine_snapshots"
                 " WHERE user_id = $1 AND computed_at > coalesce($5::timestamptz, '-infinity'))"
                 " OR EXISTS (SELECT FROM gane_engine_snapshots"
                 " WHERE user_id = $1 AND computed_at > coalesce($6::timestamptz, '-infinity'))"
                 " OR EXISTS (SELECT FROM moro_engine_snapshots"
                 " WHERE user_id = $1 AND computed_at > coalesce($7::timestamptz, '-infinity'))"
                 " THEN $3 ELSE $4 END"
                 " ON CONFLICT (user_id) DO UPDATE"
                 " SET context = EXCLUDED.context, expires_at = EXCLUDED.expires_at"
                 " RETURNING expires_at",
            edge_text(build->user), edge_json(context), edge_time(build->now), edge_time(expires_at),
            edge_text(build->engines[PULSE].computed_at), edge_text(build->engines[GANE].computed_at),
            edge_text(build->engines[MORO].computed_at)));

    if (written)
        *kept = rows[1];
    else
        edge_log(build->ctx, EDGE_LOG_WARN, "cache_write_failed", { "code", edge_text(error.code) },
            { "detail", edge_text(error.detail) });
    return written;
}

static json_t *rebuild(struct build *build)
{
    json_t *theirs = read_state(build);
    if (theirs != NULL)
        return theirs;
    recompute_stale(build);

    json_t *context = make_context(build);
    const char *source = edge_json_text(json_object_get(context, "insights"), "source");
    bool answered = source[0] == 'a';
    int64_t expires_at = build->now + (answered ? CACHED_SECONDS : FALLBACK_CACHED_SECONDS) * SECOND_US;

    edge_rows *kept = NULL;
    if (keep(build, context, expires_at, &kept))
        return with_cache(build->ctx, context, false, false, edge_rows_time(kept, 0, "expires_at"));

    json_array_append_new(json_object_get(context, "warnings"), json_string("cache_write_failed"));
    return with_cache(build->ctx, context, false, false, build->now);
}

static json_t *build_graph_context(edge_ctx *ctx, json_t *in)
{
    struct build build = {
        .ctx = ctx,
        .user = edge_auth_user(ctx),
        .now = engine_now(ctx),
        .recompute = edge_json_bool(in, "recompute", false),
        .engines = {
            [PULSE] = { .name = "pulse", .function = "computePulse" },
            [GANE] = { .name = "gane", .function = "computeGane" },
            [MORO] = { .name = "moro", .function = "computeMoro" },
        },
    };
    build.fresh = build.recompute || edge_json_bool(in, "fresh", false);

    json_t *cached = build.fresh ? NULL : usable(&build, read_cached(&build));
    if (cached != NULL)
        return cached;

    const char *name = edge_format(ctx, "buildGraphContext:%s", build.user);
    struct lease *lease = NULL;
    while ((lease = lease_take(ctx, name, LEASE_SECONDS)) == NULL) {
        int64_t wait_ms = wait_left_ms(&build);
        if (wait_ms <= 0 || !lease_wait(ctx, name, wait_ms))
            return answer_old(&build);
        cached = usable(&build, read_cached(&build));
        if (cached != NULL)
            return cached;
    }

    json_t *context = rebuild(&build);
    lease_release(lease);
    return context;
}

EDGE_FUNCTION(buildGraphContext,
    .summary = "A user's three scores together, with a forecast and a coach's remark",
    .input = input,
    .output = output,
    .handle = build_graph_context);
