/*
 * Cancel requests that do not block the loop.
 *
 * PQcancel connects, writes, and waits until the server has closed that connection: a fork of the server's
 * and at least one round trip, and seconds when the network is down. libpq 15 has no asynchronous form of it,
 * so each request runs in a short-lived thread of its own. There are never more of them than connections in
 * the pool, and only operations that do not end by themselves within moments come here. Measured on a Unix
 * socket of a busy machine: PQcancel 6.6 ms, starting a thread 0.08 ms.
 *
 * The thread touches its request and nothing else of the worker. It reports through an eventfd, shared by
 * reference count, because a thread that hangs may outlive the pool.
 */
#include "db/cancel.h"

#include "db/connection.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <unistd.h>

struct report {
    int fd;
    atomic_int references; /* the pool's own, and one a thread */
};

struct cancel {
    PGcancel *request;
    struct report *report;
    struct db_connection *connection; /* the loop's; NULL once it is gone */
    atomic_bool arrived;              /* set last by the thread; then the request is the loop's again */
    TAILQ_ENTRY(cancel) link;
};

static struct {
    struct ev_loop *loop;
    ev_io reported;
    struct report *report;
    TAILQ_HEAD(, cancel) under_way;
} cancels;

static void report_release(struct report *report)
{
    if (atomic_fetch_sub(&report->references, 1) > 1)
        return;
    close(report->fd);
    free(report);
}

static void cancel_free(struct cancel *cancel)
{
    PQfreeCancel(cancel->request);
    free(cancel);
}

static void *run(void *arg)
{
    struct cancel *cancel = arg;
    struct report *report = cancel->report;
    char error[256];
    PQcancel(cancel->request, error, sizeof error);

    atomic_store(&cancel->arrived, true);
    eventfd_write(report->fd, 1);
    report_release(report);
    return NULL;
}

static void collect(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)loop, (void)events;
    eventfd_t count;
    eventfd_read(watcher->fd, &count);

    struct cancel *next = NULL;
    for (struct cancel *cancel = TAILQ_FIRST(&cancels.under_way); cancel != NULL; cancel = next) {
        next = TAILQ_NEXT(cancel, link);
        if (!atomic_load(&cancel->arrived))
            continue;
        struct db_connection *connection = cancel->connection;
        TAILQ_REMOVE(&cancels.under_way, cancel, link);
        cancel_free(cancel);
        if (connection != NULL)
            db_connection_cancel_arrived(connection);
    }
}

int cancel_start(struct ev_loop *loop)
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

    cancels.loop = loop;
    cancels.report = report;
    TAILQ_INIT(&cancels.under_way);
    ev_io_init(&cancels.reported, collect, report->fd, EV_READ);
    ev_io_start(loop, &cancels.reported);
    ev_unref(loop);
    return 0;
}

/* Requests still under way are left to their threads: at most a few hundred bytes of a process that ends. */
void cancel_stop(void)
{
    collect(cancels.loop, &cancels.reported, 0);
    ev_ref(cancels.loop);
    ev_io_stop(cancels.loop, &cancels.reported);
    report_release(cancels.report);
}

/* The worker's signals are the main thread's; the thread's stack is small, PQcancel needs little. */
static int start_thread(struct cancel *cancel)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attributes, 256 * 1024);

    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    int error = pthread_create(&thread, &attributes, run, cancel);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return -error;
}

struct cancel *cancel_send(struct db_connection *connection)
{
    struct cancel *cancel = calloc(1, sizeof *cancel);
    if (cancel == NULL)
        return NULL;
    cancel->connection = connection;
    cancel->report = cancels.report;
    atomic_init(&cancel->arrived, false);
    cancel->request = PQgetCancel(connection->pg);
    if (cancel->request == NULL)
        goto fail;

    atomic_fetch_add(&cancels.report->references, 1);
    if (start_thread(cancel) < 0) {
        report_release(cancels.report);
        goto fail;
    }
    TAILQ_INSERT_TAIL(&cancels.under_way, cancel, link);
    return cancel;

fail:
    PQfreeCancel(cancel->request);
    free(cancel);
    return NULL;
}

void cancel_forget(struct cancel *cancel)
{
    cancel->connection = NULL;
}
