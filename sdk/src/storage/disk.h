/*
 * The disk's threads: file calls that may block for as long as the disk likes, and may not block the loop.
 *
 * A job is malloc'ed, worked on by one thread at a time, and otherwise the loop's. Its work touches nothing but
 * the job: no arena, no jansson (whose allocator belongs to the running fiber), no log.
 */
#ifndef STORAGE_DISK_H
#define STORAGE_DISK_H

#include <fiber.h>

#include <stdbool.h>
#include <sys/queue.h>

struct disk_job {
    void (*work)(struct disk_job *job); /* in a thread */
    void (*drop)(struct disk_job *job); /* on the loop: frees it */
    struct fiber_wait *wait;            /* NULL: nobody waits */
    bool under_way, unwanted;
    STAILQ_ENTRY(disk_job) link;
};

int disk_start(struct ev_loop *loop);
void disk_stop(void);

/* In a fiber: parks until the work has been done. 0, or a negative errno when no thread can be had. */
int disk_run(struct disk_job *job);

/* The job is not wanted any more: drops it now, or when its thread has come back. */
void disk_forget(struct disk_job *job);

#endif
