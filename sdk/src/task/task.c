/*
 * Fibers beside the main one: edge_spawn, edge_await, edge_wait_until, edge_sleep.
 */
#include <context.h>

#include <edge/task.h>

static struct task_node *add_task(edge_ctx *ctx, int kind)
{
    struct task_node *task = edge_alloc(ctx, sizeof *task);
    task->kind = kind;
    task->next = ctx->tasks;
    ctx->tasks = task;
    return task;
}

static void spawned_entry(edge_ctx *ctx, void *arg)
{
    struct task_node *task = arg;
    task->result = task->fn(ctx, task->arg);
    task->ended = true;
    if (task->awaited_by != NULL)
        fiber_wake(task->awaited_by);
}

edge_task *edge_spawn(edge_ctx *ctx, void *(*fn)(edge_ctx *ctx, void *arg), void *arg)
{
    struct task_node *task = add_task(ctx, TASK_SPAWNED);
    task->fn = fn;
    task->arg = arg;
    task->fiber = fiber_create(ctx, spawned_entry, task);
    if (task->fiber == NULL)
        edge_fail(ctx, 503, "overloaded", "The host is out of memory for another task");
    fiber_start(task->fiber);
    return (edge_task *)task;
}

void *edge_await(edge_ctx *ctx, edge_task *handle)
{
    (void)ctx;
    struct task_node *task = (struct task_node *)handle;
    if (!task->ended) {
        struct fiber_wait wait = { .reason = "task" };
        task->awaited_by = &wait;
        fiber_wait(&wait);
        task->awaited_by = NULL;
    }
    return task->result;
}

/*
 * Before the answer the work is only noted (context.c starts it); asked for by background work itself, it is
 * started at once.
 */
void edge_wait_until(edge_ctx *ctx, void (*fn)(edge_ctx *ctx, void *arg), void *arg)
{
    struct task_node *task = add_task(ctx, TASK_BACKGROUND);
    task->background = fn;
    task->arg = arg;
    ctx->background_count++;
    if (ctx->finished)
        context_start_background(ctx, task);
}

struct sleep {
    struct fiber_wait wait;
    ev_timer timer;
};

static void sleep_over(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)events;
    struct sleep *sleep = timer->data;
    fiber_wake(&sleep->wait);
}

static void sleep_abandoned(struct fiber_wait *wait)
{
    ev_timer_stop(fiber_loop(), &((struct sleep *)(void *)wait)->timer);
}

void edge_sleep(edge_ctx *ctx, int64_t milliseconds)
{
    (void)ctx;
    struct sleep sleep = { .wait = { .abandon = sleep_abandoned, .reason = "sleep" } };
    double late = ev_time() - ev_now(fiber_loop());
    ev_timer_init(&sleep.timer, sleep_over, (double)(milliseconds < 0 ? 0 : milliseconds) / 1000 + late, 0);
    sleep.timer.data = &sleep;
    ev_timer_start(fiber_loop(), &sleep.timer);
    fiber_wait(&sleep.wait);
}
