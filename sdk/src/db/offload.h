/*
 * What libpq and libc can only do blocking, in short-lived threads: cancel requests and name look-ups.
 *
 * A job's work runs in a thread of its own and touches nothing but the job; done runs on the loop afterwards.
 * Few run at a time (at most two a connection of the pool), and none while the database is well.
 */
#ifndef DB_OFFLOAD_H
#define DB_OFFLOAD_H

#include <ev.h>
#include <stdatomic.h>
#include <sys/queue.h>

struct report;

/* The first member of what is to be done; from malloc, because a thread that hangs may outlive the pool. */
struct offload {
    void (*work)(struct offload *job); /* in the thread */
    void (*done)(struct offload *job); /* on the loop; the job is the caller's again */
    void (*drop)(struct offload *job); /* in the thread, instead of done, once the pool is gone: frees it */
    struct report *report;
    atomic_bool left; /* by the thread that has finished, or by the loop that stops; who comes second owns it */
    TAILQ_ENTRY(offload) link;
};

int offload_start(struct ev_loop *loop);

/* What is still under way is left to its thread, which drops it. */
void offload_stop(void);

/* 0, or a negative errno when no thread can be had; then done is not called. */
int offload_run(struct offload *job);

#endif
