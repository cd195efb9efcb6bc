/*
 * Cursors: every row once, one batch in memory, gone when they are not wanted any more.
 */
#include "db_harness.h"

#define SERIES "SELECT i AS id, repeat('x', 500) AS text FROM generate_series(1, $1) AS i ORDER BY i"

static int64_t sum_of(edge_cursor *cursor, size_t *batches)
{
    int64_t sum = 0;
    edge_rows *rows = NULL;
    for (*batches = 0; (rows = edge_cursor_next(cursor)) != NULL; (*batches)++)
        for (size_t i = 0; i < edge_rows_count(rows); i++)
            sum += edge_rows_int(rows, i, "id");
    return sum;
}

static void read_cursors(edge_ctx *ctx, void *arg)
{
    (void)arg;
    static const struct {
        int64_t rows;
        size_t fetch_size, batches;
    } cases[] = { { 0, 10, 0 }, { 1, 10, 1 }, { 10, 10, 1 }, { 11, 10, 2 }, { 25, 1, 25 }, { 5, 0, 5 } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t batches = 0;
        edge_cursor *cursor = edge_query_cursor(ctx, cases[i].fetch_size, SERIES, edge_int(cases[i].rows));
        assert_int_equal(sum_of(cursor, &batches), cases[i].rows * (cases[i].rows + 1) / 2);
        assert_int_equal(batches, cases[i].batches);
        assert_null(edge_cursor_next(cursor));
        edge_cursor_close(cursor);
    }
}

/* 100 MB through an invocation of 1 MiB. */
static void read_much(edge_ctx *ctx, void *arg)
{
    (void)arg;
    size_t batches = 0, before = ctx->arena.used_bytes;
    edge_cursor *cursor = edge_query_cursor(ctx, 200, SERIES, edge_int(200000));
    assert_true(sum_of(cursor, &batches) == INT64_C(200000) * 200001 / 2);
    assert_int_equal(batches, 1000);
    assert_true(ctx->arena.used_bytes - before < 8192);
}

static void read_within(edge_ctx *ctx, void *arg)
{
    (void)arg;
    EDGE_TRANSACTION(ctx, tx)
    {
        edge_tx_send(tx, "SELECT set_config('edge.x', $1, true)", edge_text("y"));
        edge_cursor *one = edge_tx_cursor(
            tx, 3, "SELECT current_user || current_setting('edge.x') AS v FROM generate_series(1, 7)");
        edge_cursor *two = edge_tx_cursor(tx, 2, SERIES, edge_int(4));
        assert_string_equal(edge_rows_text(edge_cursor_next(one), 2, "v"), "authenticatedy");
        assert_int_equal(edge_rows_int(edge_cursor_next(two), 1, "id"), 2);
        edge_tx_send(tx, "SELECT 1");
        assert_int_equal(edge_rows_int(edge_cursor_next(two), 1, "id"), 4);
        edge_cursor_close(one);
        edge_rows *left = edge_tx_query(tx, "SELECT count(*) AS n FROM pg_cursors WHERE name LIKE 'edge%'");
        assert_int_equal(edge_rows_int(left, 0, "n"), 1);
        assert_null(edge_cursor_next(two));
    }
}

static void reading(void **state)
{
    NEEDS_SERVER(state);
    struct db_settings one = test_settings(1);
    restart_pool(&one);
    assert_fine(run_as("user_1", read_cursors, NULL));
    assert_fine(run_as("user_1", read_within, NULL));
    struct invocation much = { .body = read_much, .memory_bytes = 1 << 20 };
    invocation_start(&much);
    run_all_invocations();
    assert_fine(much);
    expect_clean_pool();
}

static void leave_open(edge_ctx *ctx, void *arg)
{
    (void)arg;
    assert_int_equal(edge_rows_count(edge_cursor_next(edge_query_cursor(ctx, 10, SERIES, edge_int(100)))), 10);
}

static void close_early(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_cursor *cursor = edge_query_cursor(ctx, 10, SERIES, edge_int(100));
    edge_cursor_next(cursor);
    edge_cursor_close(cursor);
    assert_int_equal(edge_rows_count(edge_query(ctx, "SELECT 1")), 1); /* on the one connection that there is */
}

static void fail_late(edge_ctx *ctx, void *arg)
{
    (void)arg;
    size_t batches = 0;
    sum_of(edge_query_cursor(ctx, 10, "SELECT 1 / (25 - i) AS id FROM generate_series(1, 100) AS i"), &batches);
}

static void too_large(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_cursor_next(edge_query_cursor(ctx, 100000, SERIES, edge_int(5000)));
}

static void write_by_cursor(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_cursor_next(edge_query_cursor(ctx, 10, "DELETE FROM pg_class RETURNING 1"));
}

static void fetch_slowly(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_cursor_next(edge_query_cursor(ctx, 10, "SELECT pg_sleep(20)"));
}

static void ending(void **state)
{
    NEEDS_SERVER(state);
    static const struct {
        void (*body)(edge_ctx *ctx, void *arg);
        int status;
        const char *code;
    } cases[] = {
        { leave_open, 0, "" },
        { close_early, 0, "" },
        { fail_late, 500, "internal_error" },
        { too_large, 500, "memory_limit" },
        { write_by_cursor, 500, "internal_error" },
        { fetch_slowly, 504, "timeout" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct invocation invocation = { .body = cases[i].body, .timeout_ms = 1000, .memory_bytes = 1 << 20 };
        invocation_start(&invocation);
        run_all_invocations();
        assert_int_equal(invocation.status, cases[i].status);
        assert_string_equal(invocation.code, cases[i].code);
        expect_clean_pool();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading),
        cmocka_unit_test(ending),
    };
    return cmocka_run_group_tests(tests, start_pool, stop_pool);
}
