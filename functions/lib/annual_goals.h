/*
 * The annual goals of the production plan: found by their exact titles, the earliest where there are several.
 * Whoever changes them holds annual_goals_lock to the end of its transaction.
 */
#ifndef LIB_ANNUAL_GOALS_H
#define LIB_ANNUAL_GOALS_H

#include <edge/edge.h>

/* What a goal's status and trend may be, for output tables; NULL-terminated. */
extern const char *const annual_goals_statuses[], *const annual_goals_trends[];

/* Queues the statement that makes others wait who change this user's annual goals. */
void annual_goals_lock(edge_tx *tx, const char *user);

/* The titles' goals, a row a title in the given order: id (NULL: there is none), current_value, target_value.
 */
EDGE_RETURNS_NONNULL edge_rows *annual_goals_read(edge_tx *tx, const char *const *titles, size_t count);

/* value of target in whole per cent, 100 at most; both must be numbers, target above 0. */
double annual_goals_progress(double value, double target);

/* "on-track" from 80 per cent, "behind" from 50, else "at-risk". */
const char *annual_goals_trend(double progress);

#endif
