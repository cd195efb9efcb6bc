/*
 * The clock that schedules go by: the wall clock, or in development one that tests make run faster.
 */
#ifndef JOBS_CLOCK_H
#define JOBS_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Where development is allowed, EDGE_TEST_SCHEDULE_CLOCK = "<start>,<began>,<rate>" gives a clock that showed
 * start when the real one showed began (both Unix time in seconds) and runs rate times as fast. Hosts that are
 * given the same text have the same time.
 */
void jobs_clock_start(bool development);

/* Unix time in microseconds. */
int64_t jobs_clock_us(void);

/* Real seconds until the clock shows an instant; 0 when it has passed. */
double jobs_clock_until(int64_t instant_us);

#endif
