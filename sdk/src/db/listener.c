/*
 * LISTEN for functions: a queue between the worker's connection (listen.c) and a fiber that takes its time.
 *
 * The queue is bounded: when it overflows it is thrown away, and the function is told that it has missed
 * something, just as after a lost connection. What it must do about it is the same.
 */
#include <edge/db.h>

#include <context.h>
#include <db.h>

#include "db/pool.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define QUEUED_MAX 256
#define QUEUED_BYTES_MAX ((size_t)256 * 1024)

struct note {
    TAILQ_ENTRY(note) link;
    edge_notification shown;
    size_t size;
    char payload[];
};

struct edge_listener {
    struct db_listener base; /* first member: what the callbacks get */
    edge_ctx *ctx;
    bool attached; /* once: later on it means that something was missed */
    bool missed;   /* to be told before anything else */
    TAILQ_HEAD(, note) notes;
    size_t note_count, note_bytes;
    struct note *given; /* to the function, until it asks for the next one */
    struct fiber_wait *parked;
    ev_timer timer;
};

static void wake(edge_listener *listener)
{
    if (listener->parked != NULL)
        fiber_wake(listener->parked);
}

static void drop_notes(edge_listener *listener)
{
    while (!TAILQ_EMPTY(&listener->notes)) {
        struct note *note = TAILQ_FIRST(&listener->notes);
        TAILQ_REMOVE(&listener->notes, note, link);
        free(note);
    }
    listener->note_count = listener->note_bytes = 0;
}

static void miss(edge_listener *listener)
{
    drop_notes(listener);
    listener->missed = true;
    wake(listener);
}

static void attached(struct db_listener *base)
{
    edge_listener *listener = (edge_listener *)(void *)base;
    if (listener->attached)
        miss(listener);
    listener->attached = true;
    wake(listener);
}

static void notified(struct db_listener *base, const char *payload)
{
    edge_listener *listener = (edge_listener *)(void *)base;
    size_t size = strlen(payload) + 1;
    bool fits = listener->note_count < QUEUED_MAX && listener->note_bytes + size <= QUEUED_BYTES_MAX;
    struct note *note = fits ? malloc(sizeof *note + size) : NULL;
    if (note == NULL) {
        miss(listener);
        return;
    }
    note->size = size;
    note->shown = (edge_notification){ .payload = note->payload };
    memcpy(note->payload, payload, size);
    TAILQ_INSERT_TAIL(&listener->notes, note, link);
    listener->note_count++;
    listener->note_bytes += size;
    wake(listener);
}

static void timer_over(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)events;
    wake(timer->data);
}

struct listen_wait {
    struct fiber_wait wait; /* first member: what abandon gets */
    edge_listener *listener;
};

static void let_go(edge_listener *listener)
{
    listener->parked = NULL;
    ev_timer_stop(fiber_loop(), &listener->timer);
}

static void abandoned(struct fiber_wait *wait)
{
    let_go(((struct listen_wait *)(void *)wait)->listener);
}

/* Until something is there for the function, or the time is over. Negative: until something is there. */
static void park(edge_listener *listener, int64_t timeout_ms)
{
    struct listen_wait parked = {
        .wait = { .abandon = abandoned, .reason = "listen" },
        .listener = listener,
    };
    if (timeout_ms >= 0) {
        double late = ev_time() - ev_now(fiber_loop());
        ev_timer_set(&listener->timer, (double)timeout_ms / 1000 + late, 0);
        ev_timer_start(fiber_loop(), &listener->timer);
    }
    listener->parked = &parked.wait;
    fiber_wait(&parked.wait);
    let_go(listener);
}

static void removed(void *arg)
{
    edge_listener *listener = arg;
    db_listen_remove(&listener->base);
    drop_notes(listener);
    free(listener->given);
}

struct adding {
    edge_listener *listener;
    int error;
};

static void add(void *arg)
{
    struct adding *adding = arg;
    adding->error = db_listen_add(&adding->listener->base);
}

EDGE_NORETURN static void refuse(edge_ctx *ctx, int error)
{
    switch (error) {
    case -ENOENT:
        edge_fail(ctx, 503, "not_configured", "DATABASE_URL is not configured");
    case -ENOTSUP:
        context_fail_detail(ctx, 503, "not_configured", "LISTEN needs a database without transaction pooling",
            "[database].pgbouncer is true");
    case -EINVAL:
        edge_fail(ctx, 500, "internal_error", "A channel's name has 1 to 63 bytes");
    default:
        edge_fail(ctx, 503, "overloaded", "The host is out of memory");
    }
}

edge_listener *edge_listen(edge_ctx *ctx, const char *channel)
{
    edge_listener *listener = edge_alloc(ctx, sizeof *listener);
    *listener = (edge_listener){
        .base = { .channel = edge_copy(ctx, channel), .attached = attached, .notified = notified },
        .ctx = ctx,
    };
    TAILQ_INIT(&listener->notes);
    ev_timer_init(&listener->timer, timer_over, 0, 0);
    listener->timer.data = listener;

    struct adding adding = { .listener = listener };
    fiber_on_loop(add, &adding);
    if (adding.error < 0)
        refuse(ctx, adding.error);
    edge_defer(ctx, removed, listener);
    if (!listener->attached)
        park(listener, pool_settings()->acquire_timeout_ms);
    if (!listener->attached)
        edge_fail(ctx, 503, "database_unavailable", "The database cannot be reached");
    return listener;
}

static bool has_news(const edge_listener *listener)
{
    return listener->missed || !TAILQ_EMPTY(&listener->notes);
}

const edge_notification *edge_listen_next(edge_listener *listener, int64_t timeout_ms)
{
    static const edge_notification missed = { .missed = true, .payload = "" };
    free(listener->given);
    listener->given = NULL;
    if (!has_news(listener) && timeout_ms != 0)
        park(listener, timeout_ms);
    if (listener->missed) {
        listener->missed = false;
        return &missed;
    }
    struct note *note = TAILQ_FIRST(&listener->notes);
    if (note == NULL)
        return NULL;
    TAILQ_REMOVE(&listener->notes, note, link);
    listener->note_count--;
    listener->note_bytes -= note->size;
    listener->given = note;
    return &note->shown;
}
