/*
 * triggerWeeklyEmails: last week's performance for every user who wants it, on Mondays from 8 to 18 of their
 * own clock, once an ISO week (lib/mail_run). Three statements a page of users, in one round trip.
 */
#include <edge/edge.h>

#include "lib/mail_run.h"

enum {
    ACTIONS,
    SCORES,
    GOALS,
    READS
};

/*
 * One row a user. The week is the seven local days before the day of the mail; a completion counts by the local
 * midnights, what was planned by its due date.
 */
#define ACTIONS_SQL                                                                                            \
    "SELECT to_char(u.day::date - 7, 'YYYY-MM-DD') || ' to ' || to_char(u.day::date - 1, 'YYYY-MM-DD')"        \
    " AS week, c.count AS completed, p.count AS planned,"                                                      \
    " CASE WHEN p.count > 0 THEN round(100.0 * least(c.count, p.count) / p.count) || '%' ELSE 'N/A' END"       \
    " AS rate"                                                                                                 \
    " FROM unnest($1, $2, $3) WITH ORDINALITY AS u (user_id, day, zone, place)"                                \
    " CROSS JOIN LATERAL (SELECT count(*) AS count FROM daily_actions AS a"                                    \
    " WHERE a.user_id = u.user_id AND a.status = 'completed'"                                                  \
    " AND a.completed_at >= (u.day::date - 7)::timestamp AT TIME ZONE u.zone"                                  \
    " AND a.completed_at < u.day::date::timestamp AT TIME ZONE u.zone) AS c"                                   \
    " CROSS JOIN LATERAL (SELECT count(*) AS count FROM daily_actions AS a"                                    \
    " WHERE a.user_id = u.user_id AND a.due_date BETWEEN u.day::date - 7 AND u.day::date - 1) AS p"            \
    " ORDER BY u.place"

/* One row a user: the week's scores, the newest first. */
#define SCORES_SQL                                                                                             \
    "SELECT ARRAY(SELECT s.overall_score FROM pulse_scores AS s WHERE s.user_id = u.user_id"                   \
    " AND s.date BETWEEN u.day::date - 7 AND u.day::date - 1 ORDER BY s.date DESC) AS scores"                  \
    " FROM unnest($1, $2) WITH ORDINALITY AS u (user_id, day, place) ORDER BY u.place"

static void read_weeks(struct mail_page *page)
{
    edge_rows **rows = edge_alloc(page->ctx, READS * sizeof(edge_rows *));
    edge_arg users = edge_texts(page->users, page->count), days = edge_texts(page->days, page->count),
             zones = edge_texts(page->zones, page->count);
    edge_service_query_batch(page->ctx, rows, EDGE_SQL(ACTIONS_SQL, users, days, zones),
        EDGE_SQL(SCORES_SQL, users, days), EDGE_SQL(MAIL_GOALS_SQL, users));
    page->data = rows;
}

static const char *compose(struct mail_page *page, size_t i, struct mail_content *content)
{
    edge_ctx *ctx = page->ctx;
    edge_rows **rows = page->data;
    size_t scored;
    const int64_t *scores = edge_rows_ints(rows[SCORES], i, "scores", &scored);
    const char *score = scored > 0 ? edge_format(ctx, "%lld", (long long)scores[0]) : "N/A";
    const char *trend = scored > 0 ? mail_trend(scores[scored - 1], scores[0]) : "No data yet";
    long long completed = edge_rows_int(rows[ACTIONS], i, "completed"),
              planned = edge_rows_int(rows[ACTIONS], i, "planned");
    const char *done =
        edge_format(ctx, completed == 1 ? "%lld action completed" : "%lld actions completed", completed);
    const char *rate = edge_rows_text(rows[ACTIONS], i, "rate"),
               *week = edge_rows_text(rows[ACTIONS], i, "week");
    const char *goals = mail_lines(ctx, rows[GOALS], i, "lines", "You have no active goals yet.");

    mail_set(content, "weeklyPulseTrend", trend);
    mail_set(content, "pulseScore", score);
    mail_set(content, "completedActions", done);
    mail_set(content, "completionRate", rate);
    mail_set(content, "goalProgress", goals);
    mail_set(content, "weekRange", week);

    content->subject = edge_format(ctx, "Your weekly report: %s", week);
    mail_add_section(
        content, "PULSE score", scored > 0 ? edge_format(ctx, "%s, trend: %s", score, trend) : trend);
    mail_add_section(
        content, "Actions", planned > 0 ? edge_format(ctx, "%s\nCompletion rate: %s", done, rate) : done);
    mail_add_section(content, "Goals", goals);
    json_object_set_new(
        content->facts, "pulseScore", scored > 0 ? json_integer(scores[0]) : json_string(score));
    json_object_set_new(content->facts, "weeklyTrend", json_string(trend));
    json_object_set_new(content->facts, "completedActions", json_integer(completed));
    return NULL;
}

static const struct mail_kind weekly = {
    .function = "triggerWeeklyEmails",
    .email_type = "weekly",
    .flag = "weekly_reports",
    .template_key = "weekly_email",
    .weekday = 1,
    .first_hour = 8,
    .last_hour = 17,
    .period_format = "IYYY-\"W\"IW",
    .button = "Open your dashboard",
    .button_path = "/dashboard",
    .reason = "You get this mail because weekly reports are switched on in your Pulse AI settings.",
    .read = read_weeks,
    .compose = compose,
};

static json_t *trigger_weekly(edge_ctx *ctx, json_t *in)
{
    return mail_run(ctx, in, &weekly);
}

EDGE_FUNCTION(triggerWeeklyEmails,
    .summary = "Sends every user who wants it the report of their week",
    .input = mail_run_input,
    .output = mail_run_output,
    .handle = trigger_weekly,
    .service_without_user = true);
