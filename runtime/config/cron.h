/*
 * Schedules in cron's five fields: minute, hour, day of month, month, day of week.
 *
 * A field is "*", a value, a range "a-b", any of them with a step "/n", or a list of these separated by commas.
 * Months and weekdays may be named by their first three letters; 0 and 7 are both Sunday. When day of month and
 * day of week are both restricted, a day that satisfies either one is due (crontab(5)).
 */
#ifndef CRON_H
#define CRON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* Bit n is set when value n is due. */
struct cron {
    uint64_t minutes, hours, days, months, weekdays;
    bool any_day, any_weekday; /* the field began with "*" */
};

/* False for a malformed schedule or one that never comes due, and what is wrong with it in problem. */
bool cron_parse(const char *text, struct cron *cron, char *problem, size_t size);

/* Whether the minute that time names is due. */
bool cron_due(const struct cron *cron, const struct tm *time);

#endif
