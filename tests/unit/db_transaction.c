/*
 * Transactions as blocks: committed at the end, rolled back by every other way out, run again when they
 * collide.
 */
#include "db_harness.h"

#define COUNT_ITEMS "SELECT count(*) FROM items"

static int start_items(void **state)
{
    if (getenv("EDGE_TEST_PG_URL") == NULL)
        return 0;
    (void)state;
    run_sql(admin, "SET client_min_messages = error; DROP TABLE IF EXISTS items; CREATE TABLE items (id int "
                   "PRIMARY KEY, n int NOT NULL DEFAULT 0);"
                   " GRANT ALL ON items TO service_role");
    return 0;
}

static void commits(edge_ctx *ctx, void *arg)
{
    (void)arg;
    EDGE_TRANSACTION(ctx, tx, .service = true)
    {
        edge_tx_send(tx, "INSERT INTO items (id) VALUES ($1)", edge_int(1));
        edge_tx_send(tx, "INSERT INTO items (id) VALUES ($1)", edge_int(2));
        edge_rows *rows = edge_tx_query(tx, "SELECT count(*) AS n FROM items");
        assert_int_equal(edge_rows_int(rows, 0, "n"), 2);
        /* Nobody else sees it yet. */
        assert_int_equal(edge_rows_int(edge_service_query(ctx, "SELECT count(*) AS n FROM items"), 0, "n"), 0);
        char text[16];
        strcpy(text, "5");
        edge_tx_send(tx, "INSERT INTO items (id, n) VALUES (3, $1::int)", edge_text(text));
        strcpy(text, "6");
    }
    edge_rows *rows = edge_service_query(ctx, "SELECT count(*) AS n, sum(n) AS s FROM items");
    assert_int_equal(edge_rows_int(rows, 0, "n"), 3);
    assert_int_equal(edge_rows_int(rows, 0, "s"), 5);

    EDGE_TRANSACTION(ctx, tx, .service = true)
    edge_tx_send(tx, "INSERT INTO items (id) VALUES (4)");
    EDGE_TRANSACTION(ctx, tx, .service = true)
    {
    }
}

static void committed(void **state)
{
    NEEDS_SERVER(state);
    assert_fine(run_invocation(commits, NULL));
    assert_int_equal(ask_int(COUNT_ITEMS), 4);
    expect_clean_pool();
}

static void read_only_insert(edge_ctx *ctx, void *arg)
{
    (void)arg;
    EDGE_TRANSACTION(ctx, tx, .service = true, .read_only = true)
    edge_tx_send(tx, "INSERT INTO items (id) VALUES (4)");
}

static void read_only(void **state)
{
    NEEDS_SERVER(state);
    struct invocation invocation = run_invocation(read_only_insert, NULL);
    assert_string_equal(invocation.detail, "25006");
    expect_clean_pool();
}

static void insert_one(edge_tx *tx)
{
    edge_tx_query(tx, "INSERT INTO items (id) VALUES (1)");
}

static void by_break(edge_ctx *ctx)
{
    EDGE_TRANSACTION(ctx, tx, .service = true)
    {
        insert_one(tx);
        break;
    }
}

static void by_return(edge_ctx *ctx)
{
    EDGE_TRANSACTION(ctx, tx, .service = true)
    {
        insert_one(tx);
        return;
    }
}

static void by_rollback(edge_ctx *ctx)
{
    EDGE_TRANSACTION(ctx, tx, .service = true)
    {
        insert_one(tx);
        edge_tx_rollback(tx);
    }
}

static void by_failure(edge_ctx *ctx)
{
    EDGE_TRANSACTION(ctx, tx, .service = true)
    {
        insert_one(tx);
        edge_fail(ctx, 409, "changed_my_mind", "Changed my mind");
    }
}

static void by_error(edge_ctx *ctx)
{
    EDGE_TRANSACTION(ctx, tx, .service = true)
    {
        insert_one(tx);
        edge_tx_query(tx, "SELECT 1 / 0");
    }
}

static void by_failing_commit(edge_ctx *ctx)
{
    EDGE_TRANSACTION(ctx, tx, .service = true)
    {
        insert_one(tx);
        edge_tx_send(tx, "SELECT 1 / 0");
    }
}

static void by_use_after_end(edge_ctx *ctx)
{
    EDGE_TRANSACTION(ctx, tx, .service = true)
    {
        insert_one(tx);
        edge_tx_rollback(tx);
        insert_one(tx);
    }
}

static void leave(edge_ctx *ctx, void *arg)
{
    void (*const *way)(edge_ctx * ctx) = arg;
    (*way)(ctx);
}

static void break_and_go_on(edge_ctx *ctx, void *arg)
{
    (void)arg;
    by_break(ctx);
    by_return(ctx);
    edge_sleep(ctx, 30);
    struct db_stats stats;
    db_get_stats(&stats);
    assert_int_equal(stats.busy, 0);
}

/* The connection goes back at once, not when the invocation ends. */
static void left_block_holds_nothing(void **state)
{
    NEEDS_SERVER(state);
    assert_fine(run_invocation(break_and_go_on, NULL));
}

static void every_other_way_out(void **state)
{
    NEEDS_SERVER(state);
    static const struct {
        void (*way)(edge_ctx *ctx);
        int status;
    } ways[] = {
        { by_break, 0 },
        { by_return, 0 },
        { by_rollback, 0 },
        { by_failure, 409 },
        { by_error, 500 },
        { by_failing_commit, 500 },
        { by_use_after_end, 500 },
    };
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        struct invocation invocation = run_invocation(leave, (void *)&ways[i].way);
        assert_int_equal(invocation.status, ways[i].status);
        assert_int_equal(ask_int(COUNT_ITEMS), 0);
        expect_clean_pool();
    }
}

static void *in_a_task(edge_ctx *ctx, void *arg)
{
    (void)ctx;
    insert_one(arg);
    return NULL;
}

static void share(edge_ctx *ctx, void *arg)
{
    (void)arg;
    EDGE_TRANSACTION(ctx, tx, .service = true)
    edge_await(ctx, edge_spawn(ctx, in_a_task, tx));
}

static void belongs_to_its_task(void **state)
{
    NEEDS_SERVER(state);
    assert_int_equal(run_invocation(share, NULL).status, 500);
    expect_clean_pool();
}

/* --- running again ---------------------------------------------------------------------------------------- */

static int entered;

static void add_one(edge_ctx *ctx, void *arg)
{
    (void)arg;
    int64_t seen = -1;
    EDGE_TRANSACTION(ctx, tx, .service = true, .isolation = EDGE_SERIALIZABLE, .retries = 10)
    {
        entered++;
        seen = edge_rows_int(edge_tx_query(tx, "SELECT n FROM items WHERE id = 1"), 0, "n");
        edge_sleep(ctx, 5);
        edge_tx_query(tx, "UPDATE items SET n = $1 WHERE id = 1", edge_int(seen + 1));
    }
    assert_true(seen >= 0);
}

static void serialization_failures(void **state)
{
    NEEDS_SERVER(state);
    run_sql(admin, "INSERT INTO items VALUES (1, 0)");
    struct invocation invocations[4] = { 0 };
    entered = 0;
    for (int i = 0; i < 4; i++) {
        invocations[i].body = add_one;
        invocation_start(&invocations[i]);
    }
    run_all_invocations();
    for (int i = 0; i < 4; i++)
        assert_fine(invocations[i]);
    assert_int_equal(ask_int("SELECT n FROM items WHERE id = 1"), 4);
    assert_true(entered > 4);
    expect_clean_pool();
}

static void add_one_once(edge_ctx *ctx, void *arg)
{
    (void)arg;
    EDGE_TRANSACTION(ctx, tx, .service = true, .isolation = EDGE_REPEATABLE_READ)
    {
        edge_tx_query(tx, "SELECT n FROM items WHERE id = 1");
        edge_sleep(ctx, 10);
        edge_tx_query(tx, "UPDATE items SET n = n + 1 WHERE id = 1");
    }
}

static void without_retries(void **state)
{
    NEEDS_SERVER(state);
    run_sql(admin, "INSERT INTO items VALUES (1, 0)");
    struct invocation one = { .body = add_one_once }, two = { .body = add_one_once };
    invocation_start(&one);
    invocation_start(&two);
    run_all_invocations();
    assert_int_equal(one.failed + two.failed, 1);
    assert_string_equal(one.failed ? one.detail : two.detail, "40001");
    assert_int_equal(ask_int("SELECT n FROM items WHERE id = 1"), 1);
    expect_clean_pool();
}

static void lock_both(edge_ctx *ctx, void *arg)
{
    int first = (int)(intptr_t)arg;
    EDGE_TRANSACTION(ctx, tx, .service = true, .retries = 3)
    {
        entered++;
        edge_tx_query(tx, "UPDATE items SET n = n + 1 WHERE id = $1", edge_int(first));
        edge_sleep(ctx, 20);
        edge_tx_query(tx, "UPDATE items SET n = n + 1 WHERE id = $1", edge_int(3 - first));
    }
}

static void deadlock(void **state)
{
    NEEDS_SERVER(state);
    run_sql(admin, "INSERT INTO items VALUES (1, 0), (2, 0)");
    struct invocation one = { .body = lock_both, .arg = (void *)1 },
                      two = { .body = lock_both, .arg = (void *)2 };
    entered = 0;
    invocation_start(&one);
    invocation_start(&two);
    run_all_invocations();
    assert_fine(one);
    assert_fine(two);
    assert_int_equal(entered, 3);
    assert_int_equal(ask_int("SELECT sum(n) FROM items"), 4);
    expect_clean_pool();
}

/* --- cut off ---------------------------------------------------------------------------------------------- */

static void hang_inside(edge_ctx *ctx, void *arg)
{
    EDGE_TRANSACTION(ctx, tx, .service = true)
    {
        insert_one(tx);
        if (arg != NULL)
            edge_tx_query(tx, "SELECT pg_sleep(10)");
        edge_sleep(ctx, 10000);
    }
}

/* The deadline passes while the transaction is idle, and while a statement of it runs. */
static void cut_off(void **state)
{
    NEEDS_SERVER(state);
    for (int busy = 0; busy < 2; busy++) {
        struct invocation invocation = { .body = hang_inside, .arg = busy ? "" : NULL, .timeout_ms = 100 };
        invocation_start(&invocation);
        run_all_invocations();
        assert_int_equal(invocation.status, 504);
        expect_clean_pool();
        assert_int_equal(ask_int(COUNT_ITEMS), 0);
    }
}

static void lose_connection(edge_ctx *ctx, void *arg)
{
    (void)arg;
    EDGE_TRANSACTION(ctx, tx, .service = true, .retries = 3)
    {
        insert_one(tx);
        run_sql(admin, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state LIKE 'idle in%'"
                       " AND datname = current_database()");
        edge_sleep(ctx, 20);
        insert_one(tx);
    }
}

static void broken_connection(void **state)
{
    NEEDS_SERVER(state);
    struct invocation invocation = run_invocation(lose_connection, NULL);
    assert_int_equal(invocation.status, 503);
    assert_string_equal(invocation.code, "database_unavailable");
    assert_int_equal(ask_int(COUNT_ITEMS), 0);
    assert_fine(run_invocation(commits, NULL));
    expect_clean_pool();
}

static void background(edge_ctx *ctx, void *arg)
{
    (void)arg;
    EDGE_TRANSACTION(ctx, tx, .service = true)
    insert_one(tx);
    EDGE_TRANSACTION(ctx, tx, .service = true)
    {
        edge_tx_query(tx, "INSERT INTO items (id) VALUES (2)");
        edge_fail(ctx, 500, "internal_error", "Gave up");
    }
}

static void start_background(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_wait_until(ctx, background, NULL);
}

static void after_the_answer(void **state)
{
    NEEDS_SERVER(state);
    assert_fine(run_invocation(start_background, NULL));
    assert_int_equal(ask_int(COUNT_ITEMS), 1);
    expect_clean_pool();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(committed, start_items),
        cmocka_unit_test_setup(read_only, start_items),
        cmocka_unit_test_setup(every_other_way_out, start_items),
        cmocka_unit_test_setup(left_block_holds_nothing, start_items),
        cmocka_unit_test_setup(belongs_to_its_task, start_items),
        cmocka_unit_test_setup(serialization_failures, start_items),
        cmocka_unit_test_setup(without_retries, start_items),
        cmocka_unit_test_setup(deadlock, start_items),
        cmocka_unit_test_setup(cut_off, start_items),
        cmocka_unit_test_setup(broken_connection, start_items),
        cmocka_unit_test_setup(after_the_answer, start_items),
    };
    return cmocka_run_group_tests(tests, start_pool, stop_pool);
}
