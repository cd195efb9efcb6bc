/*
 * Fibers on Boost.Context; see host/fiber.h for the model.
 *
 * The record of a fiber lies at the top of its own stack mapping, so one mmap is all it costs. Which list a
 * fiber is on follows from its state; fiber_set_state is the only place that moves it.
 */
#include <fiber.h>

#include <context.h>

#include "base/asan.h"
#include "base/stack.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Boost.Context's C symbols (libs/context/src/asm): what PHP's fibers stand on, too. */
struct transfer {
    void *from;
    void *data;
};
extern struct transfer jump_fcontext(void *to, void *data);
extern void *make_fcontext(void *stack_top, size_t size, void (*entry)(struct transfer transfer));

enum fiber_state {
    FIBER_NEW,     /* made, on no list; its maker queues it */
    FIBER_QUEUED,  /* on the run queue; the loop takes it off */
    FIBER_RUNNING, /* on no list; it is the current fiber */
    FIBER_PARKED,  /* on no list but its wait's owner knows it; fiber_wake queues it */
    FIBER_ENDED,   /* its stack is about to go back to the pool */
};

struct fiber {
    void *continuation;
    struct edge_ctx *ctx;
    void (*entry)(struct edge_ctx *ctx, void *arg);
    void *arg;
    enum fiber_state state;
    struct fiber_wait *wait;
    struct fiber *queue_previous, *queue_next;
    void (*loop_call)(void *arg); /* what the loop is to do before it resumes this fiber */
    void *loop_arg;
    char *mapping;
    void *fake_stack; /* AddressSanitizer's */
};

static struct {
    struct ev_loop *loop;
    ev_prepare before_block;
    ev_idle keep_turning; /* fibers woke fibers: do not block, but let descriptors have their turn */
    struct fiber *first, *last;
    struct fiber *current;
    void *loop_continuation;
    void *loop_fake_stack;
    const void *loop_stack;
    size_t loop_stack_size;
    size_t stack_bytes, page;
    size_t queued, alive;
    void (*ended)(struct edge_ctx *ctx, struct fiber *fiber);
    void (*switched)(struct edge_ctx *ctx, int64_t now_us);
    void (*broken_off)(struct edge_ctx *ctx);
    bool breaking_off; /* the fiber that just came back was torn from its code by a signal */
} fibers;

static char *stack_base(const struct fiber *fiber)
{
    return fiber->mapping + fibers.page;
}

/* A fiber's record lies at the top of its stack. */
static struct fiber *stack_record(char *mapping)
{
    size_t record = (sizeof(struct fiber) + 63) & ~(size_t)63;
    return (struct fiber *)(mapping + fibers.page + fibers.stack_bytes - record);
}

static void queue_push(struct fiber *fiber)
{
    fiber->queue_next = NULL;
    fiber->queue_previous = fibers.last;
    if (fibers.last != NULL)
        fibers.last->queue_next = fiber;
    else
        fibers.first = fiber;
    fibers.last = fiber;
    fibers.queued++;
}

static void queue_remove(struct fiber *fiber)
{
    if (fiber->queue_previous != NULL)
        fiber->queue_previous->queue_next = fiber->queue_next;
    else
        fibers.first = fiber->queue_next;
    if (fiber->queue_next != NULL)
        fiber->queue_next->queue_previous = fiber->queue_previous;
    else
        fibers.last = fiber->queue_previous;
    fibers.queued--;
}

static void fiber_set_state(struct fiber *fiber, enum fiber_state state)
{
    if (fiber->state == FIBER_QUEUED)
        queue_remove(fiber);
    fiber->state = state;
    if (state == FIBER_QUEUED)
        queue_push(fiber);
}

/* Back to the loop; returns when the fiber is resumed, never when it is gone for good. */
static void switch_to_loop(struct fiber *fiber, bool for_good)
{
#if WITH_ASAN
    __sanitizer_start_switch_fiber(
        for_good ? NULL : &fiber->fake_stack, fibers.loop_stack, fibers.loop_stack_size);
#else
    (void)for_good;
#endif
    struct transfer back = jump_fcontext(fibers.loop_continuation, fiber);
    fibers.loop_continuation = back.from;
#if WITH_ASAN
    __sanitizer_finish_switch_fiber(fiber->fake_stack, &fibers.loop_stack, &fibers.loop_stack_size);
#endif
}

static void fiber_entry(struct transfer transfer)
{
    struct fiber *fiber = transfer.data;
    fibers.loop_continuation = transfer.from;
#if WITH_ASAN
    __sanitizer_finish_switch_fiber(NULL, &fibers.loop_stack, &fibers.loop_stack_size);
#endif
    fiber->entry(fiber->ctx, fiber->arg);
    fiber_exit();
}

static void switch_to_fiber(struct fiber *fiber)
{
#if WITH_ASAN
    __sanitizer_start_switch_fiber(&fibers.loop_fake_stack, stack_base(fiber), fibers.stack_bytes);
#endif
    struct transfer back = jump_fcontext(fiber->continuation, fiber);
    fiber->continuation = back.from;
#if WITH_ASAN
    __sanitizer_finish_switch_fiber(fibers.loop_fake_stack, NULL, NULL);
#endif
}

static void fiber_release(struct fiber *fiber)
{
    fibers.alive--;
    stack_give(fiber->mapping);
}

/* Runs a fiber until it parks or ends, doing for it what it wants done on the loop's stack. */
static void fiber_resume(struct fiber *fiber)
{
    struct edge_ctx *ctx = fiber->ctx;
    fiber_set_state(fiber, FIBER_RUNNING);
    int64_t started_us = clock_us();

    for (;;) {
        if (fibers.switched != NULL)
            fibers.switched(ctx, started_us);
        fibers.current = fiber;
        struct arena *before = arena_enter(&ctx->arena);
        switch_to_fiber(fiber);
        arena_enter(before);
        fibers.current = NULL;
        if (fiber->loop_call == NULL)
            break;

        void (*call)(void *arg) = fiber->loop_call;
        fiber->loop_call = NULL;
        call(fiber->loop_arg);
    }
    if (fibers.switched != NULL)
        fibers.switched(NULL, 0);
    ctx->usage.cpu_ns += (clock_us() - started_us) * 1000;

    if (fiber->state == FIBER_ENDED) {
        if (fibers.breaking_off) {
            fibers.breaking_off = false;
            fibers.broken_off(ctx);
        }
        if (fibers.ended != NULL)
            fibers.ended(ctx, fiber);
        fiber_release(fiber);
    }
}

/* Runs what is queued now; what that queues has its turn after the descriptors had theirs. */
static void run_queued(struct ev_loop *loop, ev_prepare *watcher, int events)
{
    (void)watcher, (void)events;
    for (size_t left = fibers.queued; left > 0 && fibers.first != NULL; left--)
        fiber_resume(fibers.first);

    if (fibers.first != NULL)
        ev_idle_start(loop, &fibers.keep_turning);
    else
        ev_idle_stop(loop, &fibers.keep_turning);
}

static void idle_turn(struct ev_loop *loop, ev_idle *watcher, int events)
{
    (void)loop, (void)watcher, (void)events;
}

void fiber_system_start(struct ev_loop *loop, size_t stack_bytes)
{
    fibers.loop = loop;
    fibers.page = (size_t)sysconf(_SC_PAGESIZE);
    fibers.stack_bytes = (stack_bytes + fibers.page - 1) & ~(fibers.page - 1);
    if (WITH_ASAN)
        fibers.stack_bytes *= 4; /* instrumented frames are several times as large */
    stack_pool_start(fibers.stack_bytes, fibers.page);
    ev_prepare_init(&fibers.before_block, run_queued);
    ev_prepare_start(loop, &fibers.before_block);
    ev_idle_init(&fibers.keep_turning, idle_turn);
    ev_unref(loop);
}

void fiber_system_stop(void)
{
    ev_ref(fibers.loop);
    ev_idle_stop(fibers.loop, &fibers.keep_turning);
    ev_prepare_stop(fibers.loop, &fibers.before_block);
    stack_pool_stop();
    fibers.loop = NULL;
}

struct ev_loop *fiber_loop(void)
{
    return fibers.loop;
}

struct fiber *fiber_create(struct edge_ctx *ctx, void (*entry)(struct edge_ctx *ctx, void *arg), void *arg)
{
    char *mapping = arena_refuses(&ctx->arena.fault) ? NULL : stack_take();
    if (mapping == NULL)
        return NULL;

    struct fiber *fiber = stack_record(mapping);
    *fiber = (struct fiber){ .ctx = ctx, .entry = entry, .arg = arg, .mapping = mapping };
    size_t size = (size_t)((char *)fiber - stack_base(fiber));
    fiber->continuation = make_fcontext(fiber, size, fiber_entry);
    fibers.alive++;
    return fiber;
}

void fiber_start(struct fiber *fiber)
{
    fiber_set_state(fiber, FIBER_QUEUED);
}

void fiber_run(struct fiber *fiber)
{
    fiber_resume(fiber);
}

void fiber_wake(struct fiber_wait *wait)
{
    wait->woken = true;
    if (wait->fiber != NULL && wait->fiber->state == FIBER_PARKED)
        fiber_set_state(wait->fiber, FIBER_QUEUED);
}

void fiber_wait(struct fiber_wait *wait)
{
    struct fiber *fiber = fibers.current;
    wait->fiber = fiber;
    if (wait->woken)
        return;
    fiber->wait = wait;
    fiber_set_state(fiber, FIBER_PARKED);
    switch_to_loop(fiber, false);
    fiber->wait = NULL;
}

void fiber_on_loop(void (*fn)(void *arg), void *arg)
{
    struct fiber *fiber = fibers.current;
    if (fiber == NULL) {
        fn(arg);
        return;
    }
    fiber->loop_call = fn;
    fiber->loop_arg = arg;
    switch_to_loop(fiber, false);
}

void fiber_trim(void)
{
    if (fibers.current != NULL)
        stack_trim(fibers.current->mapping);
}

void fiber_exit(void)
{
    struct fiber *fiber = fibers.current;
    fiber_set_state(fiber, FIBER_ENDED);
    switch_to_loop(fiber, true);
    abort();
}

void fiber_break_off(void)
{
    fibers.breaking_off = true;
    fibers.current->state = FIBER_ENDED;
    switch_to_loop(fibers.current, true);
    abort();
}

void fiber_on_break_off(void (*broken_off)(struct edge_ctx *ctx))
{
    fibers.broken_off = broken_off;
}

void fiber_abandon(struct fiber *fiber)
{
    struct fiber_wait *wait = fiber->wait;
    fiber_set_state(fiber, FIBER_ENDED);
    if (wait != NULL && wait->abandon != NULL)
        wait->abandon(wait);
    fiber_release(fiber);
}

struct fiber *fiber_current(void)
{
    return fibers.current;
}

struct edge_ctx *fiber_context(const struct fiber *fiber)
{
    return fiber->ctx;
}

void fiber_on_end(void (*ended)(struct edge_ctx *ctx, struct fiber *fiber))
{
    fibers.ended = ended;
}

void fiber_on_switch(void (*switched)(struct edge_ctx *ctx, int64_t now_us))
{
    fibers.switched = switched;
}

const char *fiber_reason(const struct fiber *fiber)
{
    return fiber->wait != NULL ? fiber->wait->reason : "runs";
}

void fiber_stack(const struct fiber *fiber, char **low, char **high)
{
    *low = stack_base(fiber);
    *high = (char *)fiber;
}

bool fiber_guards(const void *address)
{
    const char *at = address;
    const struct fiber *fiber = fibers.current;
    return fiber != NULL && at >= fiber->mapping && at < fiber->mapping + fibers.page;
}

void fiber_on_stacks(void (*changed)(size_t bytes))
{
    stack_pool_on_change(changed);
}

void fiber_counts(size_t *alive, size_t *stacks)
{
    *alive = fibers.alive;
    *stacks = stack_pool_mapped();
}
