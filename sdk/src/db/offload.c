/*
 * Blocking work in short-lived threads; see offload.h.
 *
 * A thread reports through an eventfd that is shared by reference count, so one that comes back after the
 * pool has been stopped writes into nothing.
 */
#include "db/offload.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct report {
    int fd;
    atomic_int references; /* the pool's own, and one a thread */
};

static struct {
    struct ev_loop *loop;
    ev_io reported;
    struct report *report;
    TAILQ_HEAD(, offload) under_way;
} offloads;

static void report_release(struct report *report)
{
    if (atomic_fetch_sub(&report->references, 1) > 1)
        return;
    close(report->fd);
    free(report);
}

static void *run(void *arg)
{
    struct offload *job = arg;
    struct report *report = job->report;
    job->work(job);
    if (atomic_exchange(&job->left, true))
        job->drop(job);
    else
        eventfd_write(report->fd, 1);
    report_release(report);
    return NULL;
}

static struct offload *next_finished(void)
{
    struct offload *job = TAILQ_FIRST(&offloads.under_way);
    while (job != NULL && !atomic_load(&job->left))
        job = TAILQ_NEXT(job, link);
    return job;
}

static void collect(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)loop, (void)events;
    eventfd_t count;
    eventfd_read(watcher->fd, &count);

    struct offload *job = NULL;
    while ((job = next_finished()) != NULL) {
        TAILQ_REMOVE(&offloads.under_way, job, link);
        job->done(job);
    }
}

int offload_start(struct ev_loop *loop)
{
    struct report *report = malloc(sizeof *report);
    if (report == NULL)
        return -ENOMEM;
    report->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (report->fd < 0) {
        int error = errno;
        free(report);
        return -error;
    }
    atomic_init(&report->references, 1);

    offloads.loop = loop;
    offloads.report = report;
    TAILQ_INIT(&offloads.under_way);
    ev_io_init(&offloads.reported, collect, report->fd, EV_READ);
    ev_io_start(loop, &offloads.reported);
    ev_unref(loop);
    return 0;
}

void offload_stop(void)
{
    struct offload *job = NULL;
    while ((job = TAILQ_FIRST(&offloads.under_way)) != NULL) {
        TAILQ_REMOVE(&offloads.under_way, job, link);
        if (atomic_exchange(&job->left, true))
            job->done(job);
    }
    ev_ref(offloads.loop);
    ev_io_stop(offloads.loop, &offloads.reported);
    report_release(offloads.report);
    offloads.report = NULL;
}

/* The worker's signals are the main thread's. */
int offload_run(struct offload *job)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, 256 * 1024);

    job->report = offloads.report;
    atomic_init(&job->left, false);
    atomic_fetch_add(&job->report->references, 1);
    TAILQ_INSERT_TAIL(&offloads.under_way, job, link);

    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    int error = pthread_create(&thread, &attributes, run, job);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (error != 0) {
        TAILQ_REMOVE(&offloads.under_way, job, link);
        report_release(job->report);
    }
    return -error;
}
