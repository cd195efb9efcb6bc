/*
 * A loop, and invocations on it whose body is the benchmark's.
 */
#ifndef BENCH_HARNESS_H
#define BENCH_HARNESS_H

#include <context.h>

#include <stdlib.h>

struct work {
    void (*body)(edge_ctx *ctx, void *arg);
    void *arg;
    size_t *left; /* invocations that have not ended */
};

static struct ev_loop *loop;

static void work_main(edge_ctx *ctx)
{
    struct work *work = ctx->host;
    work->body(ctx, work->arg);
}

static void work_finished(edge_ctx *ctx)
{
    if (ctx->failure != NULL) {
        fprintf(stderr, "%d %s\n", ctx->failure->status, ctx->failure->code);
        exit(1);
    }
}

static void work_released(edge_ctx *ctx)
{
    struct work *work = ctx->host;
    --*work->left;
}

static inline void harness_start(void)
{
    loop = ev_default_loop(0);
    arena_attach_jansson();
    fiber_system_start(loop, 256 * 1024);
}

/* Begins an invocation; it runs to its first wait. */
static inline void harness_invoke(struct work *work)
{
    static const struct context_ops ops = {
        .main = work_main, .finished = work_finished, .released = work_released
    };
    edge_ctx *ctx = context_create(&(const struct context_setup){ .ops = &ops,
        .host = work,
        .function_index = -1,
        .name = "bench",
        .generation = "none",
        .memory_bytes = 64 * 1024 * 1024 });
    if (ctx == NULL)
        exit(1);
    context_run(ctx);
}

/* Runs a body in one invocation, to its end. */
static inline void harness_run(void (*body)(edge_ctx *ctx, void *arg), void *arg)
{
    size_t left = 1;
    struct work work = { .body = body, .arg = arg, .left = &left };
    harness_invoke(&work);
    while (left > 0)
        ev_run(loop, EVRUN_ONCE);
}

#endif
