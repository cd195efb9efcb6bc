/*
 * Annual goals.
 */
#include "lib/annual_goals.h"

#include "lib/score.h"

#include <math.h>

const char *const annual_goals_statuses[] = { "active", "completed", NULL };
const char *const annual_goals_trends[] = { "on-track", "behind", "at-risk", "completed", NULL };

void annual_goals_lock(edge_tx *tx, const char *user)
{
    edge_tx_send(
        tx, "SELECT pg_advisory_xact_lock(hashtextextended('annual_goals:' || $1, 0))", edge_text(user));
}

edge_rows *annual_goals_read(edge_tx *tx, const char *const *titles, size_t count)
{
    return edge_tx_query(tx,
        "SELECT goal.id, coalesce(goal.current_value, 0) AS current_value,"
        " coalesce(goal.target_value, 0) AS target_value"
        " FROM unnest($1) WITH ORDINALITY AS wanted (title, place)"
        " LEFT JOIN LATERAL (SELECT id, current_value, target_value FROM goals"
        " WHERE goals.title = wanted.title AND goal_type = 'annual'"
        " ORDER BY created_at, id LIMIT 1) AS goal ON true"
        " ORDER BY place",
        edge_texts(titles, count));
}

double annual_goals_progress(double value, double target)
{
    return fmin(100, js_round((value / target) * 100));
}

const char *annual_goals_trend(double progress)
{
    if (progress >= 80)
        return "on-track";
    return progress >= 50 ? "behind" : "at-risk";
}
