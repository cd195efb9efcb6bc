/*
 * What it costs to park a fiber and to resume it: alone, among others, and against the other ways to wait.
 */
#include "harness.h"
#include "measure.h"

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <ucontext.h>
#include <unistd.h>

enum {
    FIBERS_MAX = 1000
};

static volatile size_t sink;

/* Fibers that wait for the next turn of the loop. */
static struct fiber_wait *parked[FIBERS_MAX];
static size_t parked_count;

static void wake_parked(struct ev_loop *of, ev_prepare *watcher, int events)
{
    (void)of, (void)watcher, (void)events;
    size_t count = parked_count;
    parked_count = 0;
    for (size_t i = 0; i < count; i++)
        fiber_wake(parked[i]);
}

static void parking(edge_ctx *ctx, void *arg)
{
    (void)ctx;
    for (size_t left = *(size_t *)arg; left > 0; left--) {
        struct fiber_wait wait = { .reason = "bench" };
        parked[parked_count++] = &wait;
        fiber_wait(&wait);
    }
}

static void park(size_t fibers, size_t count)
{
    struct work work[FIBERS_MAX];
    size_t left = fibers, each = count / fibers;
    ev_prepare wake;
    ev_prepare_init(&wake, wake_parked);
    ev_set_priority(&wake, EV_MAXPRI); /* before the fibers' own, so that a turn resumes whom it has woken */
    ev_prepare_start(loop, &wake);
    for (size_t i = 0; i < fibers; i++) {
        work[i] = (struct work){ .body = parking, .arg = &each, .left = &left };
        harness_invoke(&work[i]);
    }
    while (left > 0)
        ev_run(loop, EVRUN_NOWAIT);
    ev_prepare_stop(loop, &wake);
}

static void park_one(size_t count)
{
    park(1, count);
}

static void park_hundred(size_t count)
{
    park(100, count);
}

static void park_thousand(size_t count)
{
    park(FIBERS_MAX, count);
}

static void turn(size_t count)
{
    for (size_t i = 0; i < count; i++)
        ev_run(loop, EVRUN_NOWAIT);
}

/* There and back without a wait: what a call on the loop's stack costs. */
static void nothing(void *arg)
{
    (void)arg;
    sink++;
}

static void switching(edge_ctx *ctx, void *arg)
{
    (void)ctx;
    for (size_t left = *(size_t *)arg; left > 0; left--)
        fiber_on_loop(nothing, NULL);
}

static void on_loop(size_t count)
{
    harness_run(switching, &count);
}

static ucontext_t here, there;

static void bounce(void)
{
    for (;;)
        swapcontext(&there, &here);
}

static void ucontext_switch(size_t count)
{
    static char stack[64 * 1024];
    getcontext(&there);
    there.uc_stack.ss_sp = stack;
    there.uc_stack.ss_size = sizeof stack;
    makecontext(&there, bounce, 0);
    for (size_t i = 0; i < count; i++)
        swapcontext(&here, &there);
}

struct handoff {
    sem_t ask, answer;
    size_t count;
};

static void *answering(void *arg)
{
    struct handoff *handoff = arg;
    for (size_t i = 0; i < handoff->count; i++) {
        sem_wait(&handoff->ask);
        sem_post(&handoff->answer);
    }
    return NULL;
}

/* A thread that waits for another one, as where each request has a thread. */
static void thread_handoff(size_t count)
{
    struct handoff handoff = { .count = count };
    pthread_t thread;
    sem_init(&handoff.ask, 0, 0);
    sem_init(&handoff.answer, 0, 0);
    if (pthread_create(&thread, NULL, answering, &handoff) != 0)
        exit(1);
    for (size_t i = 0; i < count; i++) {
        sem_post(&handoff.ask);
        sem_wait(&handoff.answer);
    }
    pthread_join(thread, NULL);
}

int main(void)
{
    harness_start();
    struct bench rows[] = {
        { "park and resume, 1,000 fibers a turn", park_thousand, 1000000, 0 },
        { "park and resume, 100 fibers a turn", park_hundred, 1000000, 0 },
        { "park and resume, alone (a turn of the loop each)", park_one, 200000, 0 },
        { "a turn of the loop with nothing to do", turn, 200000, 0 },
        { "a call on the loop's stack (fiber_on_loop)", on_loop, 1000000, 0 },
        { "swapcontext, there and back", ucontext_switch, 500000, 0 },
        { "hand-over to a thread and back (CPU of both)", thread_handoff, 20000, 0 },
    };
    BENCH_TABLE("waiting", rows);
    return 0;
}
