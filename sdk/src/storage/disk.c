/*
 * A few threads a worker, started when first needed; see disk.h.
 */
#include "storage/disk.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* One slow call, as an fsync on a busy disk, must not hold up all others. */
enum {
    THREADS_MAX = 4,
    STACK_BYTES = 512 * 1024
};

STAILQ_HEAD(job_list, disk_job);

static struct {
    struct ev_loop *loop;
    ev_io reported;
    int event;
    size_t thread_count, under_way; /* the loop's */
    pthread_t threads[THREADS_MAX];
    pthread_mutex_t lock; /* of all that follows */
    pthread_cond_t changed;
    struct job_list waiting, done;
    size_t idle;
    bool stopping;
} disk = { .event = -1, .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static struct disk_job *next_job(void)
{
    disk.idle++;
    while (STAILQ_EMPTY(&disk.waiting) && !disk.stopping)
        pthread_cond_wait(&disk.changed, &disk.lock);
    disk.idle--;
    struct disk_job *job = STAILQ_FIRST(&disk.waiting);
    if (job != NULL)
        STAILQ_REMOVE_HEAD(&disk.waiting, link);
    return job;
}

static void *run(void *arg)
{
    (void)arg;
    struct disk_job *job = NULL;
    pthread_mutex_lock(&disk.lock);
    while ((job = next_job()) != NULL) {
        pthread_mutex_unlock(&disk.lock);
        job->work(job);
        pthread_mutex_lock(&disk.lock);
        STAILQ_INSERT_TAIL(&disk.done, job, link);
        eventfd_write(disk.event, 1);
    }
    pthread_mutex_unlock(&disk.lock);
    return NULL;
}

/* The job is the loop's again. */
static void hand_over(struct disk_job *job)
{
    job->under_way = false;
    if (--disk.under_way == 0)
        ev_io_stop(disk.loop, &disk.reported);
    if (job->unwanted)
        job->drop(job);
    else if (job->wait != NULL)
        fiber_wake(job->wait);
}

static void collect(struct ev_loop *loop, ev_io *watcher, int events)
{
    (void)loop, (void)events;
    eventfd_t count;
    eventfd_read(watcher->fd, &count);

    struct job_list done = STAILQ_HEAD_INITIALIZER(done);
    pthread_mutex_lock(&disk.lock);
    STAILQ_CONCAT(&done, &disk.done);
    pthread_mutex_unlock(&disk.lock);
    struct disk_job *job = NULL;
    while ((job = STAILQ_FIRST(&done)) != NULL) {
        STAILQ_REMOVE_HEAD(&done, link);
        hand_over(job);
    }
}

int disk_start(struct ev_loop *loop)
{
    disk.event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (disk.event < 0)
        return -errno;
    disk.loop = loop;
    disk.stopping = false;
    STAILQ_INIT(&disk.waiting);
    STAILQ_INIT(&disk.done);
    ev_io_init(&disk.reported, collect, disk.event, EV_READ);
    return 0;
}

void disk_stop(void)
{
    if (disk.event < 0)
        return;
    pthread_mutex_lock(&disk.lock);
    disk.stopping = true;
    pthread_cond_broadcast(&disk.changed);
    pthread_mutex_unlock(&disk.lock);
    for (size_t i = 0; i < disk.thread_count; i++)
        pthread_join(disk.threads[i], NULL);
    disk.thread_count = 0;
    collect(disk.loop, &disk.reported, 0);
    ev_io_stop(disk.loop, &disk.reported);
    close(disk.event);
    disk.event = -1;
}

/*
 * The worker's signals are the main thread's. SIGXFSZ stays blocked as well, so that a file larger than
 * RLIMIT_FSIZE is an error and not the worker's end.
 */
static int start_thread(void)
{
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&disk.threads[disk.thread_count], &attributes, run, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    disk.thread_count += error == 0;
    return -error;
}

static int submit(struct disk_job *job)
{
    pthread_mutex_lock(&disk.lock);
    bool idle = disk.idle > 0;
    pthread_mutex_unlock(&disk.lock);
    int result = !idle && disk.thread_count < THREADS_MAX ? start_thread() : 0;
    if (disk.thread_count == 0)
        return result;

    job->under_way = true;
    if (disk.under_way++ == 0)
        ev_io_start(disk.loop, &disk.reported);
    pthread_mutex_lock(&disk.lock);
    STAILQ_INSERT_TAIL(&disk.waiting, job, link);
    pthread_cond_signal(&disk.changed);
    pthread_mutex_unlock(&disk.lock);
    return 0;
}

struct disk_wait {
    struct fiber_wait wait;
    struct disk_job *job;
    int result;
};

static void abandoned(struct fiber_wait *wait)
{
    ((struct disk_wait *)(void *)wait)->job->wait = NULL;
}

static void submit_waiting(void *arg)
{
    struct disk_wait *waiting = arg;
    waiting->result = submit(waiting->job);
}

int disk_run(struct disk_job *job)
{
    struct disk_wait waiting = { .wait = { .abandon = abandoned, .reason = "storage" }, .job = job };
    job->wait = &waiting.wait;
    fiber_on_loop(submit_waiting, &waiting);
    if (waiting.result == 0)
        fiber_wait(&waiting.wait);
    job->wait = NULL;
    return waiting.result;
}

void disk_forget(struct disk_job *job)
{
    job->wait = NULL;
    job->unwanted = true;
    if (!job->under_way)
        job->drop(job);
}
