/*
 * The life of an invocation: its fibers, its deadline, how it ends; see host/context.h.
 */
#include <context.h>

#include <log.h>

#include <edge/crypto.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_ALLOCATIONS = 4096
};

static void deadline_passed(struct ev_loop *loop, ev_timer *watcher, int events);

/* Random, but drawn from the system a page at a time: an id a request must not cost a system call. */
void context_make_request_id(char out[40])
{
    static uint8_t pool[4096];
    static size_t used = sizeof pool;
    if (used + 16 > sizeof pool) {
        edge_random(pool, sizeof pool);
        used = 0;
    }
    const uint8_t *raw = pool + used;
    used += 16;
    static const char digits[] = "0123456789abcdef";
    size_t at = 0;
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            out[at++] = '-';
        uint8_t byte = i == 6 ? (raw[i] & 0x0f) | 0x40 : i == 8 ? (raw[i] & 0x3f) | 0x80 : raw[i];
        out[at++] = digits[byte >> 4];
        out[at++] = digits[byte & 15];
    }
    out[at] = '\0';
}

static struct arena_fault armed;

void context_arm(const struct arena_fault *fault)
{
    armed = *fault;
}

edge_ctx *context_create(const struct context_setup *setup)
{
    struct arena_fault fault = armed;
    armed = (struct arena_fault){ 0 };
    edge_ctx *ctx = arena_refuses(&fault) ? NULL : calloc(1, sizeof *ctx);
    if (ctx == NULL)
        return NULL;

    arena_init(&ctx->arena, setup->memory_bytes < FIRST_ALLOCATIONS ? FIRST_ALLOCATIONS : setup->memory_bytes);
    ctx->arena.fault = fault;
    ctx->ops = setup->ops;
    ctx->host = setup->host;
    ctx->function = setup->function;
    ctx->state = setup->state;
    ctx->function_index = setup->function_index;
    ctx->name = setup->name;
    ctx->generation = setup->generation;
    ctx->env = setup->env;
    ctx->finish_on_disconnect = setup->finish_on_disconnect;
    ctx->timeout_ms = setup->timeout_ms;
    ctx->response.status = 200;
    ctx->started_us = clock_us();
    ctx->now_us = edge_now_exact();
    if (setup->request_id != NULL)
        memcpy(ctx->request_id, setup->request_id, sizeof ctx->request_id);
    else
        context_make_request_id(ctx->request_id);
    ev_timer_init(&ctx->deadline, deadline_passed, 0, 0);
    ctx->deadline.data = ctx;
    return ctx;
}

static void start_deadline(edge_ctx *ctx)
{
    if (ctx->timeout_ms <= 0)
        return;
    ctx->deadline_us = clock_us() + ctx->timeout_ms * 1000;
    /* Relative to now, not to the loop's cached time, which is as old as this turn. */
    double late = (double)ctx->timeout_ms / 1000 + (ev_time() - ev_now(fiber_loop()));
    ev_timer_set(&ctx->deadline, late, 0);
    ev_timer_start(fiber_loop(), &ctx->deadline);
}

void context_limit(edge_ctx *ctx, int64_t timeout_ms)
{
    ctx->timeout_ms = timeout_ms;
    if (ctx->finished)
        return;
    ev_timer_stop(fiber_loop(), &ctx->deadline);
    ctx->deadline_us = 0;
    start_deadline(ctx);
}

int64_t context_remaining_ms(const edge_ctx *ctx)
{
    if (ctx->deadline_us == 0)
        return INT64_MAX;
    int64_t left = (ctx->deadline_us - clock_us()) / 1000;
    return left < 1 ? 1 : left;
}

static void run_nodes(struct defer_node **list)
{
    while (*list != NULL) {
        struct defer_node *node = *list;
        *list = node->next;
        node->fn(node->arg);
    }
}

void context_at_finish(edge_ctx *ctx, void (*fn)(void *arg), void *arg)
{
    struct defer_node *node = edge_alloc(ctx, sizeof *node);
    *node = (struct defer_node){ .fn = fn, .arg = arg, .next = ctx->finishers };
    ctx->finishers = node;
}

void context_at_leave(edge_ctx *ctx, void (*fn)(void *arg), void *arg)
{
    if (ctx->client_gone) {
        fiber_on_loop(fn, arg);
        return;
    }
    struct leave_watch *watch = edge_alloc(ctx, sizeof *watch);
    *watch = (struct leave_watch){ .left = fn, .arg = arg, .next = ctx->leave_watches };
    ctx->leave_watches = watch;
}

static void (*on_release)(edge_ctx *ctx);

void context_on_release(void (*releasing)(edge_ctx *ctx))
{
    on_release = releasing;
}

static void release(edge_ctx *ctx)
{
    ev_timer_stop(fiber_loop(), &ctx->deadline);
    run_nodes(&ctx->defers);
    if (on_release != NULL)
        on_release(ctx);
    if (ctx->ops->released != NULL)
        ctx->ops->released(ctx);
    arena_free(&ctx->arena);
    free(ctx);
}

/* Abandons the fibers of some kind; those of background work outlive the answer. */
static void abandon_tasks(edge_ctx *ctx, bool background)
{
    for (struct task_node *task = ctx->tasks; task != NULL; task = task->next) {
        if ((task->kind == TASK_BACKGROUND) != background || task->fiber == NULL)
            continue;
        struct fiber *fiber = task->fiber;
        task->fiber = NULL;
        task->ended = true;
        fiber_abandon(fiber);
        if (background)
            ctx->background_count--;
    }
}

static void background_entry(edge_ctx *ctx, void *arg)
{
    struct task_node *task = arg;
    task->background(ctx, task->arg);
}

void context_start_background(edge_ctx *ctx, struct task_node *task)
{
    task->fiber = fiber_create(ctx, background_entry, task);
    if (task->fiber != NULL) {
        fiber_start(task->fiber);
        return;
    }
    task->ended = true;
    ctx->background_count--;
    edge_log(ctx, EDGE_LOG_ERROR, "background_work_lost", { "reason", edge_text("out of memory") });
}

/* Background work begins once the answer is out; its deadline is the function's, counted anew. */
static void start_all_background(edge_ctx *ctx)
{
    ctx->failure = NULL;
    start_deadline(ctx);
    for (struct task_node *task = ctx->tasks; task != NULL; task = task->next)
        if (task->kind == TASK_BACKGROUND && !task->ended && task->fiber == NULL)
            context_start_background(ctx, task);
}

static void finish(edge_ctx *ctx)
{
    ctx->finished = true;
    ev_timer_stop(fiber_loop(), &ctx->deadline);
    ctx->deadline_us = 0;
    abandon_tasks(ctx, false);
    run_nodes(&ctx->finishers);
    ctx->ops->finished(ctx);
    if (ctx->background_count > 0)
        start_all_background(ctx);
    if (ctx->background_count == 0)
        release(ctx);
}

static void background_failed(edge_ctx *ctx)
{
    edge_log(ctx, EDGE_LOG_ERROR, "background_work_failed", { "code", edge_text(ctx->failure->code) },
        { "message", edge_text(ctx->failure->said.message) }, { "detail", edge_text(ctx->failure->detail) });
    ctx->failure = NULL;
}

static void fiber_ended(edge_ctx *ctx, struct fiber *fiber)
{
    struct task_node *task = ctx->tasks;
    while (task != NULL && task->fiber != fiber)
        task = task->next;
    if (task == NULL)
        return;
    task->fiber = NULL;
    task->ended = true;

    if (task->kind == TASK_BACKGROUND) {
        ctx->background_count--;
        if (ctx->failure != NULL)
            background_failed(ctx);
        if (ctx->background_count == 0)
            release(ctx);
        return;
    }
    if (task->kind == TASK_MAIN || ctx->failure != NULL)
        finish(ctx);
}

static void main_entry(edge_ctx *ctx, void *arg)
{
    (void)arg;
    ctx->ops->main(ctx);
}

void context_run(edge_ctx *ctx)
{
    fiber_on_end(fiber_ended);
    start_deadline(ctx);
    struct task_node *task = arena_alloc(&ctx->arena, sizeof *task);
    struct fiber *fiber = task != NULL ? fiber_create(ctx, main_entry, NULL) : NULL;
    if (fiber == NULL) {
        context_fail(
            ctx, 503, "overloaded", &(const edge_failure){ .message = "The host is out of memory" }, NULL);
        finish(ctx);
        return;
    }
    task->kind = TASK_MAIN;
    task->fiber = fiber;
    ctx->tasks = task;
    ctx->main_fiber = fiber;
    fiber_run(fiber);
}

void context_cancel(edge_ctx *ctx, int status, const char *code, const char *message)
{
    ctx->cut_short = true;
    if (ctx->finished) {
        abandon_tasks(ctx, true);
        if (ctx->background_count == 0)
            release(ctx);
        return;
    }
    context_fail(ctx, status, code, &(const edge_failure){ .message = message }, NULL);
    finish(ctx);
}

void context_client_gone(edge_ctx *ctx)
{
    ctx->client_gone = true;
    if (ctx->finished)
        return;
    if (!ctx->finish_on_disconnect) {
        context_cancel(ctx, 499, "client_gone", "The client closed the connection");
        return;
    }
    while (ctx->leave_watches != NULL) {
        struct leave_watch *watch = ctx->leave_watches;
        ctx->leave_watches = watch->next;
        watch->left(watch->arg);
    }
    context_writable(ctx);
}

void context_writable(edge_ctx *ctx)
{
    for (struct reader_wait *writer = ctx->reader_waits; writer != NULL; writer = writer->next)
        fiber_wake(&writer->wait);
}

static void reader_wait_over(struct fiber_wait *wait)
{
    struct reader_wait **at = &fiber_context(wait->fiber)->reader_waits;
    while (&(*at)->wait != wait)
        at = &(*at)->next;
    *at = (*at)->next;
}

void context_await_writable(edge_ctx *ctx)
{
    if (ctx->client_gone)
        return;
    struct reader_wait writer = {
        .wait = { .abandon = reader_wait_over, .reason = "slow reader" },
        .next = ctx->reader_waits,
    };
    ctx->reader_waits = &writer;
    fiber_wait(&writer.wait);
    reader_wait_over(&writer.wait);
}

static void deadline_passed(struct ev_loop *loop, ev_timer *watcher, int events)
{
    (void)loop, (void)events;
    edge_ctx *ctx = watcher->data;
    if (ctx->finished) {
        edge_log(ctx, EDGE_LOG_ERROR, "background_work_timeout", { "timeoutMs", edge_int(ctx->timeout_ms) });
        context_cancel(ctx, 504, "timeout", NULL);
        return;
    }
    char message[128];
    snprintf(message, sizeof message, "The function took longer than its limit of %lld ms",
        (long long)ctx->timeout_ms);
    char *copy = arena_alloc(&ctx->arena, sizeof message);
    if (copy != NULL)
        memcpy(copy, message, sizeof message);
    context_cancel(ctx, 504, "timeout", copy != NULL ? copy : "The function took longer than its limit");
}
