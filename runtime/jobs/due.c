/*
 * Schedules and changes of the clock; see due.h for the rules.
 */
#include "due.h"

#include <time.h>

enum {
    MINUTE_S = 60,
    HOURS_ALL = 0xffffff,
    GAP_MAX_S = 25 * 3600 /* a day that a move across the date line has left out */
};

static bool due_at(const struct cron *cron, int64_t local)
{
    struct tm fields;
    time_t seconds = (time_t)local;
    return gmtime_r(&seconds, &fields) != NULL && cron_due(cron, &fields);
}

static bool due_between(const struct cron *cron, int64_t after, int64_t until)
{
    for (int64_t at = after + MINUTE_S; at <= until; at += MINUTE_S)
        if (due_at(cron, at))
            return true;
    return false;
}

void due_minutes(const struct cron *cron, const int64_t *local, size_t count, bool *fires)
{
    bool measures = cron->hours == HOURS_ALL;
    int64_t latest = INT64_MIN;
    for (size_t i = 0; i < count; i++) {
        bool repeated = local[i] <= latest;
        int64_t before = i > 0 && !repeated && local[i] - latest <= GAP_MAX_S ? latest : local[i] - MINUTE_S;
        if (measures)
            fires[i] = due_at(cron, local[i]);
        else
            fires[i] = !repeated && due_between(cron, before, local[i]);
        if (!repeated)
            latest = local[i];
    }
}
