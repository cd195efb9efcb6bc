/*
 * Fibers: stacks of their own on the worker's one thread.
 *
 * A fiber runs until it waits or ends. Waiting is fiber_wait: it switches back to the loop; whoever the wait
 * was for calls fiber_wake, which queues the fiber, and the loop resumes queued fibers before it blocks again.
 * A fiber that is abandoned (its invocation failed, timed out, lost its client) is never resumed: its wait's
 * abandon function is called instead, its stack goes back to the pool, and no further line of it runs.
 *
 * Calls that need much stack (libcurl, libpq) run on the loop's stack through fiber_on_loop.
 */
#ifndef HOST_FIBER_H
#define HOST_FIBER_H

#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fiber;
struct edge_ctx;

/* What a fiber waits for; lives on the waiting fiber's stack or in its arena. */
struct fiber_wait {
    struct fiber *fiber; /* filled by fiber_wait */
    /* The fiber will not come back: let go of what was waited for. Runs on the loop's stack; may be NULL. */
    void (*abandon)(struct fiber_wait *wait);
    const char *reason; /* constant, for the crash record and the watchdog: "query", "fetch", "sleep" … */
    bool woken;
};

/* Once a worker: attaches the run queue to the loop and sizes the stacks. */
void fiber_system_start(struct ev_loop *loop, size_t stack_bytes);
void fiber_system_stop(void);
struct ev_loop *fiber_loop(void);

/* Creates a fiber of an invocation; it runs entry(ctx, arg) once woken. NULL when no stack can be mapped. */
struct fiber *fiber_create(struct edge_ctx *ctx, void (*entry)(struct edge_ctx *ctx, void *arg), void *arg);

/* Queues a fiber: a new one to start, or one whose wait is over. A second wake before it runs changes nothing.
 */
void fiber_start(struct fiber *fiber);
void fiber_wake(struct fiber_wait *wait);

/* Runs a new fiber at once instead of queueing it; only from the loop's stack. */
void fiber_run(struct fiber *fiber);

/* Parks the current fiber until fiber_wake(wait). Returns at once when it has been woken already. */
void fiber_wait(struct fiber_wait *wait);

/*
 * In the fiber: gives the pages of its stack back that it does not need at the moment, before a long wait. A
 * system call, and a page fault for each that is needed again.
 */
void fiber_trim(void);

/* Runs fn(arg) on the loop's stack and returns when it has; for calls that want a deep stack. */
void fiber_on_loop(void (*fn)(void *arg), void *arg);

/* Ends the current fiber without returning to its code. */
__attribute__((noreturn)) void fiber_exit(void);

/*
 * From a signal handler on an alternate stack, while a fiber runs: tears the fiber from its code and goes back
 * to the loop, which calls what fiber_on_break_off set and then ends the fiber as if it had failed.
 */
__attribute__((noreturn)) void fiber_break_off(void);
void fiber_on_break_off(void (*broken_off)(struct edge_ctx *ctx));

/* Ends another, parked or not yet started fiber: abandons its wait and takes its stack. */
void fiber_abandon(struct fiber *fiber);

/* The running fiber, NULL on the loop's stack. */
struct fiber *fiber_current(void);
struct edge_ctx *fiber_context(const struct fiber *fiber);

/* Called whenever a fiber starts to run (its invocation, the time) and when it stops (NULL, 0): the watchdog's.
 */
void fiber_on_switch(void (*switched)(struct edge_ctx *ctx, int64_t now_us));

/* What a parked fiber waits for, "runs" when it does not. */
const char *fiber_reason(const struct fiber *fiber);

/* Called on the loop's stack when a fiber has ended by returning or by fiber_exit (not by fiber_abandon). */
void fiber_on_end(void (*ended)(struct edge_ctx *ctx, struct fiber *fiber));

/* Bounds of a fiber's stack, guard page excluded, for the crash handler. */
void fiber_stack(const struct fiber *fiber, char **low, char **high);
bool fiber_guards(const void *address); /* true when address lies in the running fiber's guard page */

/* Fibers alive and stacks mapped, for metrics. */
void fiber_counts(size_t *alive, size_t *stacks);

/* Calls changed with the bytes that all stacks take together, before there are more and after there are less.
 */
void fiber_on_stacks(void (*changed)(size_t bytes));

#endif
