/*
 * Invocations: fibers that wait, fail, are abandoned, spawn others and work on after the answer.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <context.h>

#include <edge/json.h>
#include <edge/task.h>

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

struct record {
    void (*body)(edge_ctx *ctx, struct record *record);
    char steps[256];
    int status;
    char code[32], field[32];
    bool finished, released;
};

static struct ev_loop *loop;

static void step(struct record *record, const char *what)
{
    strcat(record->steps, what);
}

static void on_main(edge_ctx *ctx)
{
    struct record *record = ctx->host;
    record->body(ctx, record);
}

static void on_finished(edge_ctx *ctx)
{
    struct record *record = ctx->host;
    record->finished = true;
    step(record, "finished ");
    record->status = ctx->failure != NULL ? ctx->failure->status : 200;
    if (ctx->failure != NULL) {
        strncpy(record->code, ctx->failure->code, sizeof record->code - 1);
        if (ctx->failure->said.field != NULL)
            strncpy(record->field, ctx->failure->said.field, sizeof record->field - 1);
    }
}

static void on_released(edge_ctx *ctx)
{
    struct record *record = ctx->host;
    record->released = true;
    step(record, "released");
}

static const struct context_ops ops = { .main = on_main, .finished = on_finished, .released = on_released };

static edge_ctx *start(struct record *record, int64_t timeout_ms)
{
    edge_ctx *ctx = context_create(&(const struct context_setup){
        .ops = &ops,
        .host = record,
        .function_index = -1,
        .name = "test",
        .generation = "none",
        .memory_bytes = 256 * 1024,
        .timeout_ms = timeout_ms,
    });
    assert_non_null(ctx);
    context_run(ctx);
    return ctx;
}

static void run_until_released(struct record *record)
{
    for (int i = 0; i < 2000 && !record->released; i++)
        ev_run(loop, EVRUN_ONCE);
    assert_true(record->released);
}

static void deferred(void *arg)
{
    step(arg, "defer ");
}

static void answers(edge_ctx *ctx, struct record *record)
{
    edge_defer(ctx, deferred, record);
    step(record, "main ");
}

static void fiber_that_returns_is_finished_at_once(void **state)
{
    (void)state;
    struct record record = { .body = answers };
    start(&record, 1000);
    assert_string_equal(record.steps, "main finished defer released");
    assert_int_equal(record.status, 200);
}

static void fails(edge_ctx *ctx, struct record *record)
{
    edge_defer(ctx, deferred, record);
    edge_fail_with(ctx, 409, "conflict", .message = "No", .field = "a.b");
}

static void failure_runs_no_further_line(void **state)
{
    (void)state;
    struct record record = { .body = fails };
    start(&record, 1000);
    assert_string_equal(record.steps, "finished defer released");
    assert_int_equal(record.status, 409);
    assert_string_equal(record.code, "conflict");
    assert_string_equal(record.field, "a.b");
}

static void sleeps(edge_ctx *ctx, struct record *record)
{
    step(record, "before ");
    edge_sleep(ctx, 20);
    step(record, "after ");
}

static void sleeping_parks_the_fiber(void **state)
{
    (void)state;
    struct record record = { .body = sleeps };
    start(&record, 5000);
    assert_string_equal(record.steps, "before ");
    run_until_released(&record);
    assert_string_equal(record.steps, "before after finished released");
}

static void sleeps_long(edge_ctx *ctx, struct record *record)
{
    edge_defer(ctx, deferred, record);
    edge_sleep(ctx, 60000);
    step(record, "never ");
}

static void deadline_abandons_the_fiber(void **state)
{
    (void)state;
    struct record record = { .body = sleeps_long };
    start(&record, 30);
    run_until_released(&record);
    assert_string_equal(record.steps, "finished defer released");
    assert_int_equal(record.status, 504);
    assert_string_equal(record.code, "timeout");
}

static void client_that_leaves_cancels(void **state)
{
    (void)state;
    struct record record = { .body = sleeps_long };
    edge_ctx *ctx = start(&record, 5000);
    context_client_gone(ctx);
    assert_string_equal(record.steps, "finished defer released");
    assert_int_equal(record.status, 499);
}

static void *child(edge_ctx *ctx, void *arg)
{
    edge_sleep(ctx, 10);
    int *value = edge_alloc(ctx, sizeof *value);
    *value = *(int *)arg * 2;
    return value;
}

static void spawns(edge_ctx *ctx, struct record *record)
{
    int inputs[] = { 1, 2, 3 }, sum = 0;
    edge_task *tasks[3];
    for (int i = 0; i < 3; i++)
        tasks[i] = edge_spawn(ctx, child, &inputs[i]);
    for (int i = 0; i < 3; i++)
        sum += *(int *)edge_await(ctx, tasks[i]);
    assert_int_equal(sum, 12);
    step(record, "sum ");
}

static void spawned_fibers_run_beside_each_other(void **state)
{
    (void)state;
    struct record record = { .body = spawns };
    int64_t began_us = clock_us();
    start(&record, 5000);
    run_until_released(&record);
    assert_string_equal(record.steps, "sum finished released");
    assert_true(clock_us() - began_us < 1000000);
}

static void *child_fails(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_sleep(ctx, 5);
    edge_fail(ctx, 502, "child_failed", "The child failed");
}

static void spawns_a_failing_one(edge_ctx *ctx, struct record *record)
{
    edge_task *task = edge_spawn(ctx, child_fails, NULL);
    edge_sleep(ctx, 60000);
    edge_await(ctx, task);
    step(record, "never ");
}

static void failing_child_ends_the_invocation(void **state)
{
    (void)state;
    struct record record = { .body = spawns_a_failing_one };
    start(&record, 5000);
    run_until_released(&record);
    assert_string_equal(record.steps, "finished released");
    assert_string_equal(record.code, "child_failed");
}

static void background(edge_ctx *ctx, void *arg)
{
    edge_sleep(ctx, 10);
    step(arg, "background ");
}

static void works_on(edge_ctx *ctx, struct record *record)
{
    edge_defer(ctx, deferred, record);
    edge_wait_until(ctx, background, record);
    step(record, "main ");
}

static void background_work_outlives_the_answer(void **state)
{
    (void)state;
    struct record record = { .body = works_on };
    start(&record, 5000);
    assert_true(record.finished);
    assert_false(record.released);
    run_until_released(&record);
    assert_string_equal(record.steps, "main finished background defer released");
}

static void takes_memory(edge_ctx *ctx, struct record *record)
{
    for (;;)
        edge_alloc(ctx, 1000);
    step(record, "never ");
}

static void memory_limit_is_answered(void **state)
{
    (void)state;
    struct record record = { .body = takes_memory };
    start(&record, 5000);
    assert_int_equal(record.status, 500);
    assert_string_equal(record.code, "memory_limit");
}

static void thousands_wait_in_little_memory(void **state)
{
    (void)state;
    enum {
        COUNT = 5000
    };
    struct record *records = calloc(COUNT, sizeof *records);
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    for (int i = 0; i < COUNT; i++) {
        records[i].body = sleeps;
        start(&records[i], 60000);
    }
    size_t alive = 0, stacks = 0;
    fiber_counts(&alive, &stacks);
    assert_int_equal(alive, COUNT);
    getrusage(RUSAGE_SELF, &after);
    print_message(
        "resident bytes a waiting invocation: %ld\n", (after.ru_maxrss - before.ru_maxrss) * 1024 / COUNT);
    for (int i = 0; i < COUNT; i++)
        run_until_released(&records[i]);
    fiber_counts(&alive, &stacks);
    assert_int_equal(alive, 0);
    free(records);
}

int main(void)
{
    arena_attach_jansson();
    loop = ev_default_loop(0);
    fiber_system_start(loop, 256 * 1024);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fiber_that_returns_is_finished_at_once),
        cmocka_unit_test(failure_runs_no_further_line),
        cmocka_unit_test(sleeping_parks_the_fiber),
        cmocka_unit_test(deadline_abandons_the_fiber),
        cmocka_unit_test(client_that_leaves_cancels),
        cmocka_unit_test(spawned_fibers_run_beside_each_other),
        cmocka_unit_test(failing_child_ends_the_invocation),
        cmocka_unit_test(background_work_outlives_the_answer),
        cmocka_unit_test(memory_limit_is_answered),
        cmocka_unit_test(thousands_wait_in_little_memory),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    fiber_system_stop();
    return failed;
}
