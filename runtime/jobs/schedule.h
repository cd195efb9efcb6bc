/*
 * Schedules of functions.toml: each due minute becomes one job, on whichever host is first.
 */
#ifndef JOBS_SCHEDULE_H
#define JOBS_SCHEDULE_H

struct worker;

void schedule_start(struct worker *worker);
void schedule_stop(void);

/* The worker serves another configuration. */
void schedule_reconfigured(void);

#endif
