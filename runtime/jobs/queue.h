/*
 * What the files of the job queue share: the worker's running jobs, and contexts of the host's own.
 */
#ifndef JOBS_QUEUE_H
#define JOBS_QUEUE_H

#include "jobs.h"

#include <context.h>

/* A claimed job. On the queue's list from its claim until its context has been released. */
struct job {
    struct job *previous, *next;
    edge_ctx *ctx; /* the host's context that calls the function; NULL before it runs and after */
    int64_t id;
    int64_t lease_until_us; /* monotonic: nobody else has the job before */
    int attempts, max_attempts;
    bool scheduled; /* a schedule's minute: run with {}, and not again because it failed */
    bool recording; /* the function has ended, its outcome is being written */
    char *function, *body;
};

struct queue {
    struct worker *worker;
    struct jobs_stats stats;
    struct job *jobs;
    size_t running;
    bool draining;
    char name[128]; /* whom this worker's jobs are locked by: host, process and start */
};

extern struct queue queue;

/*
 * A context of the host's own, as the service. The server counts it as an exchange, so a drain waits for it.
 * Runs ops->main with ctx->host = arg; *ctx is set before. False when memory is short: nothing runs then.
 */
bool host_work_start(const char *name, const struct context_ops *ops, void *arg, edge_ctx **ctx);

/* To be called by ops.released, last. */
void host_work_ended(void);

/* Starts a claimed job; it takes itself off the list in the end. */
void job_start(struct job *job);
void job_free(struct job *job);

/* Looks for jobs now, when there is room for any. */
void queue_look(void);

#endif
