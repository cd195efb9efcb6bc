/*
 * Work without a request: durable jobs and schedules; README.md has the design.
 */
#ifndef JOBS_JOBS_H
#define JOBS_JOBS_H

#include <stdint.h>

struct worker;

struct jobs_stats {
    uint64_t claimed, succeeded, retried, dead, lost; /* jobs; lost: cancelled since their lease had run out */
    uint64_t fired; /* scheduled minutes that this worker was the first with */
    uint64_t running;
};

/* Begins to take jobs and to fire schedules; nothing without a database. */
void jobs_start(struct worker *worker);

/* Takes no more; what runs is finished (the server counts it as an exchange). */
void jobs_drain(void);

/* Cancels what runs. Another host takes the jobs over when their leases have run out. */
void jobs_stop(void);

/* The worker serves another configuration: its schedules count from now on. */
void jobs_reconfigured(void);

/* A job has been added in this worker, or is about to be: look soon. */
void jobs_nudge(void);

const struct jobs_stats *jobs_get_stats(void);

#endif
