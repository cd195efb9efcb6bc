/*
 * What the platform's users did in a range of days.
 */
#include "lib/platform.h"

#include "lib/closed_deals.h"
#include "lib/region.h"
#include "lib/score.h"

enum {
    DEALS_AT_ONCE = 1000,
};

enum read {
    CALLS,
    TASKS,
    PULSES,
    ACCOUNTS,
    REGIONS,
    ACQUISITION,
    READ_COUNT,
};

/*
 * $1 and $2 bound the days, $3 is searched for, $4 is the region. strpos takes wildcards literally.
 */
#define PEOPLE                                                                                                 \
    "WITH everybody AS ("                                                                                      \
    " SELECT profiles.id, profiles.created_at, full_name, email,"                                              \
    " " REGION_OF(                                                                                             \
        "coalesce(nullif(btrim(market_config.state), ''), license_state)") " AS region"                        \
                                                                           " FROM profiles LEFT JOIN "         \
                                                                           "market_config ON "                 \
                                                                           "market_config.user_id = "          \
                                                                           "profiles.id"                       \
                                                                           "), people AS ("                    \
                                                                           " SELECT * FROM everybody WHERE "   \
                                                                           "($4 = 'all' OR region = $4)"       \
                                                                           " AND ($3 = '' OR "                 \
                                                                           "strpos(lower(full_name), "         \
                                                                           "lower($3)) > 0 OR "                \
                                                                           "strpos(lower(email), lower($3)) "  \
                                                                           "> 0)"                              \
                                                                           "), bounds AS ("                    \
                                                                           " SELECT $1::timestamp AT TIME "    \
                                                                           "ZONE 'UTC' AS first, ($2 + "       \
                                                                           "1)::timestamp AT TIME ZONE 'UTC' " \
                                                                           "AS behind"                         \
                                                                           ") "
#define IN_RANGE(column) column " >= bounds.first AND " column " < bounds.behind"

#define FILTER_ARGS                                                                                            \
    edge_date(filter->first_day), edge_date(filter->last_day), edge_text(filter->search),                      \
        edge_text(filter->region)

static void read_range(
    edge_ctx *ctx, edge_rows *rows[READ_COUNT], const struct platform_filter *filter, int64_t now)
{
    edge_service_query_batch(ctx, rows,
        EDGE_SQL(PEOPLE "SELECT count(*) AS made,"
                        " count(*) FILTER (WHERE status IN ('completed', 'appointment_set')) AS completed,"
                        " count(*) FILTER (WHERE status = 'appointment_set') AS appointments,"
                        " count(*) FILTER (WHERE status = 'failed') AS failed,"
                        " coalesce(sum(duration_seconds), 0) AS seconds"
                        " FROM call_logs JOIN people ON people.id = user_id, bounds"
                        " WHERE " IN_RANGE("call_logs.created_at"),
            FILTER_ARGS),
        EDGE_SQL(PEOPLE "SELECT count(*) AS generated,"
                        " count(*) FILTER (WHERE status = 'completed') AS completed,"
                        " count(*) FILTER (WHERE due_date < ($5 AT TIME ZONE 'UTC')::date"
                        " AND coalesce(status, '') NOT IN ('completed', 'archived')) AS overdue"
                        " FROM daily_actions JOIN people ON people.id = user_id, bounds"
                        " WHERE " IN_RANGE("daily_actions.created_at"),
            FILTER_ARGS, edge_time(now)),
        EDGE_SQL(PEOPLE
            "SELECT sum(score::float8 ORDER BY user_id) AS sum, count(*) AS count"
            " FROM (SELECT DISTINCT ON (user_id) user_id, score FROM pulse_engine_snapshots AS pulse"
            " JOIN people ON people.id = user_id, bounds WHERE " IN_RANGE(
                "computed_at") " ORDER BY user_id, computed_at DESC, pulse.created_at DESC, pulse.id DESC) AS "
                               "latest",
            FILTER_ARGS),
        EDGE_SQL(PEOPLE
            "SELECT count(*) AS total, count(*) FILTER (WHERE has_role(people.id, 'admin')) AS admins"
            " FROM people, bounds",
            FILTER_ARGS),
        EDGE_SQL(PEOPLE "SELECT region, count(*) AS count FROM people, bounds GROUP BY region ORDER BY region",
            FILTER_ARGS),
        EDGE_SQL(PEOPLE "SELECT day::date AS date, count(people.id) AS count"
                        " FROM generate_series($1::timestamp, $2::timestamp, interval '1 day') AS day"
                        " LEFT JOIN people ON (people.created_at AT TIME ZONE 'UTC')::date = day::date"
                        " GROUP BY day ORDER BY day",
            FILTER_ARGS));
}

static struct closed_deals read_deals(edge_ctx *ctx, const struct platform_filter *filter)
{
    struct closed_deals deals = { 0 };
    edge_cursor *cursor = edge_service_query_cursor(ctx, DEALS_AT_ONCE,
        PEOPLE "SELECT " CLOSED_DEAL_COLUMNS " FROM transactions JOIN people ON people.id = user_id, bounds"
               " WHERE " CLOSED_DEAL_CONDITION
               " AND coalesce(expected_close_date, (updated_at AT TIME ZONE 'UTC')::date) BETWEEN $1 AND $2"
               " ORDER BY transactions.created_at, transactions.id",
        FILTER_ARGS);
    for (edge_rows *rows; (rows = edge_cursor_next(cursor)) != NULL;)
        closed_deals_add(&deals, rows);
    return deals;
}

static double per_cent(double part, double whole)
{
    return whole > 0 ? score_fixed1((part / whole) * 100) : 0;
}

static json_t *calls_json(const edge_rows *rows)
{
    double made = edge_rows_number(rows, 0, "made"), appointments = edge_rows_number(rows, 0, "appointments");
    return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f}", "callsMade", made, "callsCompleted",
        edge_rows_number(rows, 0, "completed"), "appointmentsSet", appointments, "callsFailed",
        edge_rows_number(rows, 0, "failed"), "totalCallTime", edge_rows_number(rows, 0, "seconds"),
        "conversionRatio", per_cent(appointments, made));
}

static json_t *tasks_json(const edge_rows *tasks, const edge_rows *pulses)
{
    double generated = edge_rows_number(tasks, 0, "generated");
    double completed = edge_rows_number(tasks, 0, "completed");
    double sum = edge_rows_number(pulses, 0, "sum"), count = edge_rows_number(pulses, 0, "count");
    return json_pack("{s:f, s:f, s:f, s:f, s:f}", "tasksGenerated", generated, "tasksCompleted", completed,
        "tasksOverdue", edge_rows_number(tasks, 0, "overdue"), "completionRatio",
        per_cent(completed, generated), "avgPulseScore", count > 0 ? js_round(sum / count) : 0);
}

static json_t *accounts_json(edge_rows *const rows[READ_COUNT])
{
    json_t *regions = json_object();
    for (size_t i = 0; i < edge_rows_count(rows[REGIONS]); i++)
        json_object_set_new(regions, edge_rows_text(rows[REGIONS], i, "region"),
            json_integer(edge_rows_int(rows[REGIONS], i, "count")));
    return json_pack("{s:f, s:f, s:o, s:o}", "totalAccounts", edge_rows_number(rows[ACCOUNTS], 0, "total"),
        "adminAccounts", edge_rows_number(rows[ACCOUNTS], 0, "admins"), "regionBreakdown", regions,
        "userAcquisitionData", edge_rows_json(rows[ACQUISITION]));
}

json_t *platform_range(edge_ctx *ctx, const struct platform_filter *filter, int64_t now)
{
    edge_rows *rows[READ_COUNT];
    read_range(ctx, rows, filter, now);
    struct closed_deals deals = read_deals(ctx, filter);

    return json_pack("{s:o, s:o, s:{s:f, s:f, s:f, s:f}, s:o}", "aiAgent", calls_json(rows[CALLS]), "tasks",
        tasks_json(rows[TASKS], rows[PULSES]), "performance", "totalGCI", deals.gci, "totalListingsClosed",
        deals.listings, "totalBuyersClosed", deals.buyers, "totalSalesVolume", deals.volume, "analytics",
        accounts_json(rows));
}
