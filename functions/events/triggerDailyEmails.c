/*
 * triggerDailyEmails: the morning plan of every user who wants it, at 7 to 12 of their own clock, once a day
 * (lib/mail_run). Three statements a page of users, in one round trip.
 */
#include <edge/edge.h>

#include "lib/mail_run.h"

enum {
    ACTIONS,
    SCORES,
    GOALS,
    READS
};

#define OPEN "coalesce(a.status, 'pending') NOT IN ('completed', 'skipped', 'cancelled')"
#define TITLE "regexp_replace(a.title, '\\s+', ' ', 'g') || ' (' || a.category || ')'"

/* One row a user: today's actions in order, the first twenty as lines, and how many are overdue. */
#define ACTIONS_SQL                                                                                            \
    "SELECT count(t.line) AS count,"                                                                           \
    " (array_agg(t.line ORDER BY t.place))[1:20] AS lines,"                                                    \
    " (array_agg(t.timed ORDER BY t.place))[1:20] AS timed,"                                                   \
    " (SELECT count(*) FROM daily_actions AS a"                                                                \
    " WHERE a.user_id = u.user_id AND a.due_date < u.day::date AND " OPEN ") AS overdue"                       \
    " FROM unnest($1, $2) WITH ORDINALITY AS u (user_id, day, place)"                                          \
    " LEFT JOIN LATERAL (SELECT '• ' || " TITLE " AS line,"                                                    \
    " '• ' || coalesce(to_char(a.scheduled_time, 'FMHH12:MI AM') || ' – ', '') || " TITLE " AS timed,"         \
    " row_number() OVER (ORDER BY CASE a.priority WHEN 'high' THEN 1 WHEN 'medium' THEN 2 WHEN 'low' THEN 3"   \
    " ELSE 4 END, a.scheduled_time NULLS LAST, a.created_at, a.id) AS place"                                   \
    " FROM daily_actions AS a"                                                                                 \
    " WHERE a.user_id = u.user_id AND a.due_date = u.day::date AND " OPEN ") AS t ON true"                     \
    " GROUP BY u.user_id, u.day, u.place ORDER BY u.place"

/* One row a user: the two newest scores, the newer first. */
#define SCORES_SQL                                                                                             \
    "SELECT ARRAY(SELECT s.overall_score FROM pulse_scores AS s"                                               \
    " WHERE s.user_id = u.user_id AND s.date <= u.day::date ORDER BY s.date DESC LIMIT 2) AS scores"           \
    " FROM unnest($1, $2) WITH ORDINALITY AS u (user_id, day, place) ORDER BY u.place"

static void read_plans(struct mail_page *page)
{
    edge_rows **rows = edge_alloc(page->ctx, READS * sizeof(edge_rows *));
    edge_arg users = edge_texts(page->users, page->count), days = edge_texts(page->days, page->count);
    edge_service_query_batch(page->ctx, rows, EDGE_SQL(ACTIONS_SQL, users, days),
        EDGE_SQL(SCORES_SQL, users, days), EDGE_SQL(MAIL_GOALS_SQL, users));
    page->data = rows;
}

/* Actions as lines, and how many there are beyond them. */
static const char *action_lines(edge_ctx *ctx, const edge_rows *rows, size_t i, const char *column)
{
    size_t shown;
    edge_rows_texts(rows, i, column, &shown);
    int64_t count = edge_rows_int(rows, i, "count");
    if (count == 0)
        return "Nothing is scheduled for today.";
    const char *lines = mail_lines(ctx, rows, i, column, "");
    return count > (int64_t)shown
               ? edge_format(ctx, "%s\n+%lld more", lines, (long long)count - (long long)shown)
               : lines;
}

static const char *compose(struct mail_page *page, size_t i, struct mail_content *content)
{
    edge_ctx *ctx = page->ctx;
    edge_rows **rows = page->data;
    size_t scored;
    const int64_t *scores = edge_rows_ints(rows[SCORES], i, "scores", &scored);
    const char *score = scored > 0 ? edge_format(ctx, "%lld", (long long)scores[0]) : "N/A";
    const char *trend = scored > 1 ? mail_trend(scores[1], scores[0]) : "flat";
    long long count = edge_rows_int(rows[ACTIONS], i, "count"),
              overdue = edge_rows_int(rows[ACTIONS], i, "overdue");
    const char *goals = mail_lines(ctx, rows[GOALS], i, "lines", "You have no active goals yet.");

    mail_set(content, "pulseScore", score);
    mail_set(content, "pulseTrend", trend);
    mail_set(content, "actionCount", edge_format(ctx, "%lld", count));
    mail_set(content, "overdueCount", edge_format(ctx, "%lld", overdue));
    mail_set(content, "actionList", action_lines(ctx, rows[ACTIONS], i, "lines"));
    mail_set(content, "goalsSummary", goals);

    content->subject = edge_format(ctx, "Your PULSE plan for %s", page->people[i].day);
    mail_add_section(
        content, "PULSE score", scored > 1 ? edge_format(ctx, "%s, trend: %s", score, trend) : score);
    mail_add_section(content, "Today's actions", action_lines(ctx, rows[ACTIONS], i, "timed"));
    if (overdue > 0)
        mail_add_section(content, "Overdue",
            edge_format(ctx, overdue == 1 ? "%lld action is overdue." : "%lld actions are overdue.", overdue));
    mail_add_section(content, "Goals", goals);
    json_object_set_new(content->facts, "actionCount", json_integer(count));
    json_object_set_new(
        content->facts, "pulseScore", scored > 0 ? json_integer(scores[0]) : json_string(score));
    return NULL;
}

static const struct mail_kind daily = {
    .function = "triggerDailyEmails",
    .email_type = "daily",
    .flag = "daily_reminders",
    .template_key = "daily_email",
    .first_hour = 7,
    .last_hour = 11,
    .period_format = "YYYY-MM-DD",
    .button = "Open today's plan",
    .button_path = "/to-do",
    .reason = "You get this mail because daily reminders are switched on in your Pulse AI settings.",
    .read = read_plans,
    .compose = compose,
};

static json_t *trigger_daily(edge_ctx *ctx, json_t *in)
{
    return mail_run(ctx, in, &daily);
}

EDGE_FUNCTION(triggerDailyEmails,
    .summary = "Sends every user who wants it the plan of their day",
    .input = mail_run_input,
    .output = mail_run_output,
    .handle = trigger_daily,
    .service_without_user = true);
