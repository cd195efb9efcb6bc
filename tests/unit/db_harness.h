/*
 * Running invocations against a real server without a host: one loop, one pool, as many contexts as a test
 * wants. The server is named by EDGE_TEST_PG_URL; without it the tests are skipped.
 */
#ifndef DB_HARNESS_H
#define DB_HARNESS_H

#include <context.h>
#include <db.h>
#include <log.h>

#include <edge/edge.h>

#include <ev.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* One invocation of a test and how it ended. */
struct invocation {
    void (*body)(edge_ctx *ctx, void *arg);
    void *arg;
    const char *user, *claims; /* signed in as; NULL: nobody */
    bool admin;
    int64_t timeout_ms;
    size_t memory_bytes;
    edge_ctx *ctx;
    bool ended, failed;
    int status;
    char code[64], detail[256];
    struct usage usage;
};

static struct ev_loop *loop;
static int running;

static inline void invocation_main(edge_ctx *ctx)
{
    struct invocation *invocation = ctx->host;
    invocation->body(ctx, invocation->arg);
}

static inline void invocation_finished(edge_ctx *ctx)
{
    struct invocation *invocation = ctx->host;
    invocation->usage = ctx->usage;
    invocation->failed = ctx->failure != NULL;
    if (ctx->failure == NULL)
        return;
    invocation->status = ctx->failure->status;
    strncpy(invocation->code, ctx->failure->code, sizeof invocation->code - 1);
    if (ctx->failure->detail != NULL)
        strncpy(invocation->detail, ctx->failure->detail, sizeof invocation->detail - 1);
}

static inline void invocation_released(edge_ctx *ctx)
{
    struct invocation *invocation = ctx->host;
    invocation->ended = true;
    invocation->ctx = NULL;
    if (--running == 0)
        ev_break(loop, EVBREAK_ONE);
}

static inline void invocation_start(struct invocation *invocation)
{
    static const struct context_ops ops = {
        .main = invocation_main,
        .finished = invocation_finished,
        .released = invocation_released,
    };
    const struct context_setup setup = {
        .ops = &ops,
        .host = invocation,
        .name = "test",
        .generation = "0",
        .memory_bytes = invocation->memory_bytes != 0 ? invocation->memory_bytes : 32 * 1024 * 1024,
        .timeout_ms = invocation->timeout_ms,
    };
    edge_ctx *ctx = context_create(&setup);
    assert_non_null(ctx);
    invocation->ctx = ctx;
    if (invocation->user != NULL) {
        ctx->identity.caller = EDGE_CALLER_USER;
        ctx->identity.user = invocation->user;
        ctx->identity.claims_json = invocation->claims;
        ctx->identity.admin = invocation->admin;
    }
    running++;
    context_run(ctx);
}

/* Turns the loop until every invocation has ended. */
static inline void run_all_invocations(void)
{
    while (running > 0)
        ev_run(loop, EVRUN_ONCE);
}

static inline void stop_turning(struct ev_loop *turning, ev_timer *timer, int events)
{
    (void)timer, (void)events;
    ev_break(turning, EVBREAK_ONE);
}

static inline void turn_for_ms(int64_t milliseconds)
{
    ev_timer timer;
    ev_now_update(loop);
    ev_timer_init(&timer, stop_turning, (double)milliseconds / 1000, 0);
    ev_timer_start(loop, &timer);
    ev_run(loop, 0);
    ev_timer_stop(loop, &timer);
}

/* Runs one invocation to its end as nobody, and as a user. */
static inline struct invocation run_invocation(void (*body)(edge_ctx *ctx, void *arg), void *arg)
{
    struct invocation invocation = { .body = body, .arg = arg };
    invocation_start(&invocation);
    run_all_invocations();
    return invocation;
}

static inline struct invocation run_as(const char *user, void (*body)(edge_ctx *ctx, void *arg), void *arg)
{
    struct invocation invocation = { .body = body, .arg = arg, .user = user };
    invocation_start(&invocation);
    run_all_invocations();
    return invocation;
}

static inline void assert_fine(struct invocation invocation)
{
    if (invocation.failed)
        fail_msg("ended with %d %s: %s", invocation.status, invocation.code, invocation.detail);
}

/* The pool of a test: four connections, short waits. */
static inline struct db_settings test_settings(void)
{
    return (struct db_settings){
        .url = getenv("EDGE_TEST_PG_URL"),
        .pool_max = 4,
        .acquire_timeout_ms = 300,
        .statement_timeout_ms = 10000,
    };
}

static inline void harness_start(const struct db_settings *settings)
{
    loop = ev_default_loop(0);
    arena_attach_jansson();
    log_open(STDERR_FILENO, LOG_TEXT, getenv("EDGE_TEST_LOG") != NULL ? EDGE_LOG_DEBUG : EDGE_LOG_ERROR + 1);
    fiber_system_start(loop, 256 * 1024);
    assert_int_equal(db_start(loop, settings), 0);
}

static inline void harness_stop(void)
{
    db_stop();
    fiber_system_stop();
}

static inline int start_pool(void **state)
{
    (void)state;
    if (getenv("EDGE_TEST_PG_URL") == NULL)
        return 0;
    struct db_settings settings = test_settings();
    harness_start(&settings);
    return 0;
}

static inline int stop_pool(void **state)
{
    (void)state;
    if (getenv("EDGE_TEST_PG_URL") != NULL)
        harness_stop();
    return 0;
}

#define NEEDS_SERVER()                                                                                         \
    do {                                                                                                       \
        if (getenv("EDGE_TEST_PG_URL") == NULL)                                                                \
            skip();                                                                                            \
    } while (0)

#endif
