/*
 * Which minutes a schedule fires in, by the wall clock of its time zone.
 *
 * A schedule that is due in some hours names local times:
 *   - a local time that a change of the clock skips fires in the first minute behind the gap, and several
 * skipped ones together only once there;
 *   - a local time that a change repeats fires the first time only.
 * A schedule that is due in every hour (all 24 in its hour field) measures time instead: it goes on at its
 * pace through both, as it would in UTC. This is cron's distinction (Vixie's "wildcard jobs"), decided by
 * what the field means instead of how it is spelled.
 */
#ifndef JOBS_DUE_H
#define JOBS_DUE_H

#include "config/cron.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DUE_BEFORE =
        180 /* minutes that are to be given before the first one asked about: no clock goes back more */
};

/*
 * local: for consecutive minutes of real time, what the zone's clock shows, as if it were Unix time in UTC, in
 * seconds. Fills fires[i] for DUE_BEFORE <= i < count.
 */
void due_minutes(const struct cron *cron, const int64_t *local, size_t count, bool *fires);

#endif
