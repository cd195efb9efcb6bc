/*
 * Cases that are run again and again, with the first, second, third … thing that goes to the server failing,
 * until one passes untouched. After each: a clean answer, all or nothing of what was written, and nothing left:
 * no connection in use, no descriptor, no memory (which is AddressSanitizer's to say).
 */
#include "db_harness.h"

#include "db/fault.h"

#include <dirent.h>

#define ATTEMPTS_MAX 40

static void write_one(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_service_query(ctx, "INSERT INTO faulty VALUES (1), (2)");
}

static void write_batch(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_rows *rows[2];
    edge_service_query_batch(
        ctx, rows, EDGE_SQL("INSERT INTO faulty VALUES (1)"), EDGE_SQL("INSERT INTO faulty VALUES (2)"));
}

static void write_in_block(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_query(ctx, "SELECT 1");
    EDGE_TRANSACTION(ctx, tx, .service = true, .retries = 2)
    {
        edge_tx_query(tx, "INSERT INTO faulty VALUES (1) RETURNING id");
        edge_tx_send(tx, "INSERT INTO faulty VALUES (2)");
    }
}

static void copy_in(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_copier *copy = edge_service_copy_in(ctx, "COPY faulty FROM STDIN");
    edge_copy_row(copy, edge_int(1));
    edge_copy_row(copy, edge_int(2));
    edge_copy_end(copy);
}

static void copy_over(edge_ctx *ctx, void *arg)
{
    (void)arg;
    EDGE_TRANSACTION(ctx, tx, .service = true)
    {
        edge_copier *copy = edge_tx_copy_in(tx, "COPY faulty FROM STDIN (FORMAT csv)");
        edge_copy_write(copy, "1\n", 2);
        edge_copy_end(copy);
        edge_copier *back = edge_tx_copy_out(tx, "COPY faulty TO STDOUT");
        size_t length = 0;
        while (edge_copy_read(back, &length) != NULL)
            continue;
        edge_tx_send(tx, "INSERT INTO faulty VALUES (2)");
    }
}

static void write_while_reading(edge_ctx *ctx, void *arg)
{
    (void)arg;
    EDGE_TRANSACTION(ctx, tx, .service = true)
    {
        edge_cursor *cursor = edge_tx_cursor(tx, 1, "SELECT i FROM generate_series(1, 2) AS i");
        edge_rows *rows = NULL;
        while ((rows = edge_cursor_next(cursor)) != NULL)
            edge_tx_send(tx, "INSERT INTO faulty VALUES ($1)", edge_int(edge_rows_int(rows, 0, "i")));
    }
}

static void *write_as_child(edge_ctx *ctx, void *arg)
{
    return edge_service_query(
        ctx, "INSERT INTO faulty SELECT generate_series(1, 2) WHERE $1 = 1", edge_int((intptr_t)arg));
}

static void write_beside_others(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_task *tasks[3];
    for (intptr_t i = 0; i < 3; i++)
        tasks[i] = edge_spawn(ctx, write_as_child, (void *)i);
    for (int i = 0; i < 3; i++)
        edge_await(ctx, tasks[i]);
}

static int descriptors(void)
{
    int count = 0;
    DIR *directory = opendir("/proc/self/fd");
    while (readdir(directory) != NULL)
        count++;
    closedir(directory);
    return count;
}

/* A pool that has replaced what was broken, and no more than that. */
static void expect_settled(int wanted)
{
    expect_clean_pool();
    for (int i = 0; i < 100 && descriptors() > wanted; i++)
        turn_for_ms(20);
    assert_true(descriptors() <= wanted);
}

static void expect_clean_answer(const struct invocation *invocation, enum db_fault fault)
{
    if (!invocation->failed)
        return;
    bool refused = fault == FAULT_REFUSED;
    assert_int_equal(invocation->status, refused ? 500 : 503);
    assert_string_equal(invocation->code, refused ? "internal_error" : "database_unavailable");
}

/* True when nothing went wrong any more. */
static bool attempt(void (*body)(edge_ctx *ctx, void *arg), enum db_fault fault, int nth, int most_descriptors)
{
    run_sql(admin, "TRUNCATE faulty");
    fault_arm(fault, nth);
    struct invocation invocation = run_invocation(body, NULL);
    bool happened = fault_disarm();
    expect_settled(most_descriptors);
    int rows = ask_int("SELECT count(*) FROM faulty");

    expect_clean_answer(&invocation, fault);
    if (!invocation.failed)
        assert_int_equal(rows, 2);
    else if (fault != FAULT_BREAK_AFTER && body != write_beside_others)
        assert_int_equal(rows, 0);
    else /* the server was done before the answer was lost, or another task's statement was */
        assert_true(rows == 0 || rows == 2);
    assert_true(happened || !invocation.failed);
    return !happened;
}

static void torture(void **state)
{
    NEEDS_SERVER(state);
    static void (*const cases[])(edge_ctx * ctx, void *arg) = { write_one, write_batch, write_in_block, copy_in,
        copy_over, write_while_reading, write_beside_others };
    static const enum db_fault faults[] = { FAULT_REFUSED, FAULT_BREAK_BEFORE, FAULT_BREAK_AFTER };
    run_sql(admin, "CREATE TABLE faulty (id int); GRANT ALL ON faulty TO service_role");
    struct db_settings settings = test_settings(3);
    settings.acquire_timeout_ms = 5000;
    restart_pool(&settings);
    for (int i = 0; i < 2; i++)
        assert_fine(run_invocation(write_beside_others, NULL));
    turn_for_ms(100);
    int most_descriptors = descriptors();

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        for (size_t j = 0; j < sizeof faults / sizeof faults[0]; j++) {
            int nth = 1;
            while (!attempt(cases[i], faults[j], nth, most_descriptors))
                assert_true(++nth < ATTEMPTS_MAX);
            assert_true(nth > 1); /* the first attempt was touched */
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(torture),
    };
    return cmocka_run_group_tests(tests, start_pool, stop_pool);
}
