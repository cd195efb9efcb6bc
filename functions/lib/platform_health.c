/*
 * The platform's health, counted by the database.
 */
#include "lib/platform.h"

#include "lib/score.h"

#include <string.h>

enum read {
    USERS,
    USAGE,
    INTEGRATIONS,
    GROWTH,
    TIERS,
    READ_COUNT,
};

#define DAY_SINCE "$1 - interval '24 hours'"

static void read_health(edge_ctx *ctx, edge_rows *rows[READ_COUNT], int64_t now)
{
    const edge_arg at = edge_time(now);
    edge_service_query_batch(ctx, rows,
        EDGE_SQL("SELECT count(*) AS total,"
                 " count(*) FILTER (WHERE created_at >= date_trunc('day', $1, 'UTC')) AS today,"
                 " count(*) FILTER (WHERE updated_at >= $1 - interval '168 hours') AS active FROM profiles",
            at),
        EDGE_SQL("SELECT"
                 " (SELECT count(*) FROM generated_content WHERE created_at >= " DAY_SINCE ") AS content,"
                 " (SELECT count(*) FROM role_play_session_logs WHERE created_at >= " DAY_SINCE
                 ") AS role_play,"
                 " (SELECT count(*) FROM ai_agent_conversations WHERE created_at >= " DAY_SINCE ") AS advisor,"
                 " (SELECT count(*) FROM daily_actions"
                 " WHERE status = 'completed' AND updated_at >= " DAY_SINCE ") AS actions,"
                 " (SELECT count(*) FROM goals WHERE created_at >= " DAY_SINCE ") AS goals,"
                 " (SELECT count(*) FROM system_errors WHERE created_at >= " DAY_SINCE ") AS errors",
            at),
        EDGE_SQL("SELECT count(*) AS total, count(*) FILTER (WHERE status = 'error') AS failing,"
                 " sum(response_time_ms)::float8 AS times, count(response_time_ms) AS timed,"
                 " (SELECT status FROM integration_status WHERE service = 'resend') AS mail"
                 " FROM integration_status"),
        EDGE_SQL("SELECT day::date AS date, count(profiles.id) AS users"
                 " FROM generate_series(($1 AT TIME ZONE 'UTC')::date - 29, ($1 AT TIME ZONE 'UTC')::date,"
                 " interval '1 day') AS day"
                 " LEFT JOIN profiles ON (created_at AT TIME ZONE 'UTC')::date = day::date"
                 " GROUP BY day ORDER BY day",
            at),
        EDGE_SQL("SELECT name, count(*) AS value"
                 " FROM (SELECT coalesce(subscription_tier, 'Free') AS name FROM profiles) AS tiers"
                 " GROUP BY name ORDER BY value DESC, name COLLATE \"C\""));
}

static void add_number(json_t *body, const char *name, double value)
{
    json_object_set_new(body, name, json_real(value));
}

static void add_text(json_t *body, const char *name, const char *value)
{
    json_object_set_new(body, name, json_string(value));
}

static void add_integrations(json_t *body, const edge_rows *rows)
{
    double total = edge_rows_number(rows, 0, "total"), failing = edge_rows_number(rows, 0, "failing");
    double times = edge_rows_number(rows, 0, "times"), timed = edge_rows_number(rows, 0, "timed");
    const char *mail = edge_rows_text(rows, 0, "mail");

    add_number(body, "avgResponseTime", timed > 0 ? js_round(times / timed) : 0);
    add_number(body, "errorRate", total > 0 ? js_round((failing / total) * 100) : 0);
    add_text(body, "databaseStatus", "healthy");
    add_text(body, "storageStatus", "healthy");
    add_text(body, "apiStatus", failing > 0 ? "degraded" : "healthy");
    add_text(body, "emailStatus", mail != NULL ? mail : "healthy");
}

static void add_usage(json_t *body, const edge_rows *rows)
{
    static const struct {
        const char *name, *column;
    } features[] = {
        { "Content Studio", "content" },
        { "Role Play", "role_play" },
        { "AI Advisor", "advisor" },
        { "Daily Actions", "actions" },
        { "Goals Created", "goals" },
    };
    json_t *data = json_array(), *usage = json_array();
    for (size_t i = 0; i < sizeof features / sizeof *features; i++) {
        json_int_t count = edge_rows_int(rows, 0, features[i].column);
        json_array_append_new(data, json_pack("{s:s, s:I}", "name", features[i].name, "value", count));
        json_array_append_new(usage, json_pack("{s:s, s:I}", "feature", features[i].name, "count", count));
    }
    json_object_set_new(body, "featureUsageData", data);
    json_object_set_new(body, "featureUsage", usage);
    add_number(body, "apiCalls24h", edge_rows_number(rows, 0, "advisor"));
    add_number(body, "totalErrors", edge_rows_number(rows, 0, "errors"));
}

void platform_add_health(edge_ctx *ctx, json_t *body, int64_t now)
{
    edge_rows *rows[READ_COUNT];
    read_health(ctx, rows, now);

    double total = edge_rows_number(rows[USERS], 0, "total"),
           active = edge_rows_number(rows[USERS], 0, "active");
    add_number(body, "totalUsers", total);
    add_number(body, "newUsersToday", edge_rows_number(rows[USERS], 0, "today"));
    add_number(body, "activeUsers7d", active);
    add_number(body, "activeUserRate", total > 0 ? score_fixed1((active / total) * 100) : 0);
    add_integrations(body, rows[INTEGRATIONS]);
    add_usage(body, rows[USAGE]);
    json_object_set_new(body, "userGrowthData", edge_rows_json(rows[GROWTH]));
    json_object_set_new(body, "subscriptionData", edge_rows_json(rows[TIERS]));
}
