/*
 * The pool under strain: nobody free, deadlines, clients that leave, connections that die.
 */
#include "db_harness.h"

static void sleep_in_database(edge_ctx *ctx, void *arg)
{
    edge_service_query(ctx, "SELECT pg_sleep($1)", edge_number(*(double *)arg));
}

static void quick(edge_ctx *ctx, void *arg)
{
    edge_rows *rows = edge_service_query(ctx, "SELECT 1 AS one");
    assert_int_equal(edge_rows_int(rows, 0, "one"), 1);
    if (arg != NULL)
        *(int64_t *)arg = clock_us();
}

static void use_pool(int connections)
{
    struct db_settings settings = test_settings(connections);
    restart_pool(&settings);
}

static void exhausted(void **state)
{
    NEEDS_SERVER(state);
    use_pool(1);
    double seconds = 0.6;
    struct invocation holder = { .body = sleep_in_database, .arg = &seconds }, waiting = { .body = quick };
    invocation_start(&holder);
    invocation_start(&waiting);
    int64_t started_us = clock_us();
    while (!waiting.ended)
        ev_run(loop, EVRUN_ONCE);
    assert_int_equal(waiting.status, 503);
    assert_string_equal(waiting.code, "database_busy");
    assert_in_range((clock_us() - started_us) / 1000, 290, 560);
    run_all_invocations();
    assert_fine(holder);
    expect_clean_pool();
}

static void first_come_first_served(void **state)
{
    NEEDS_SERVER(state);
    use_pool(1);
    double seconds = 0.05;
    struct invocation holder = { .body = sleep_in_database, .arg = &seconds };
    int64_t ended_us[20] = { 0 };
    struct invocation waiting[20] = { 0 };
    invocation_start(&holder);
    for (int i = 0; i < 20; i++) {
        waiting[i] = (struct invocation){ .body = quick, .arg = &ended_us[i] };
        invocation_start(&waiting[i]);
    }
    run_all_invocations();
    for (int i = 0; i < 20; i++) {
        assert_fine(waiting[i]);
        assert_true(i == 0 || ended_us[i] >= ended_us[i - 1]);
    }
    expect_clean_pool();
}

static void deadline(void **state)
{
    NEEDS_SERVER(state);
    use_pool(1);
    double seconds = 10;
    struct invocation late = { .body = sleep_in_database, .arg = &seconds, .timeout_ms = 100 };
    int64_t started_us = clock_us();
    invocation_start(&late);
    run_all_invocations();
    assert_int_equal(late.status, 504);
    assert_string_equal(late.code, "timeout");
    assert_in_range((clock_us() - started_us) / 1000, 95, 1000);
    /* The connection is the next one's as soon as the statement has been cancelled. */
    assert_fine(run_invocation(quick, NULL));
    assert_in_range((clock_us() - started_us) / 1000, 95, 1500);
    expect_clean_pool();
}

static void tries_too_long(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_error error;
    (void)!edge_try_service_query(ctx, &error, "SELECT pg_sleep(10)");
    fail();
}

static void statement_timeout(void **state)
{
    NEEDS_SERVER(state);
    struct db_settings settings = test_settings(1);
    settings.statement_timeout_ms = 50;
    restart_pool(&settings);
    double seconds = 10;
    struct invocation late = { .body = sleep_in_database, .arg = &seconds };
    invocation_start(&late);
    run_all_invocations();
    assert_int_equal(late.status, 504);
    assert_string_equal(run_invocation(tries_too_long, NULL).code, "timeout");
    assert_fine(run_invocation(quick, NULL));
    expect_clean_pool();
}

static void client_leaves(void **state)
{
    NEEDS_SERVER(state);
    use_pool(2);
    double seconds = 10;
    struct invocation left[6] = { 0 };
    for (int i = 0; i < 6; i++) {
        left[i] = (struct invocation){ .body = sleep_in_database, .arg = &seconds };
        invocation_start(&left[i]);
    }
    turn_for_ms(100);
    /* Two run, four wait for a connection. */
    for (int i = 5; i >= 0; i--)
        context_client_gone(left[i].ctx);
    assert_int_equal(running, 0);
    for (int i = 0; i < 6; i++)
        assert_string_equal(left[i].code, "client_gone");

    int64_t started_us = clock_us();
    assert_fine(run_invocation(quick, NULL));
    assert_in_range((clock_us() - started_us) / 1000, 0, 1000);
    expect_clean_pool();
    struct db_stats stats;
    db_get_stats(&stats);
    assert_int_equal(stats.reconnects, 0);
}

/* A server that does not react to the cancel request costs the connection, after a second, and nothing else. */
static void hangs_on_cancel(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_service_query(ctx, "SELECT stubborn()");
}

static void stubborn_statement(void **state)
{
    NEEDS_SERVER(state);
    use_pool(1);
    run_sql(admin,
        "CREATE FUNCTION stubborn() RETURNS void LANGUAGE plpgsql AS $$ DECLARE until timestamptz ="
        " clock_timestamp() + '2 s'; BEGIN WHILE clock_timestamp() < until LOOP BEGIN PERFORM pg_sleep(0.3);"
        " EXCEPTION WHEN query_canceled THEN NULL; END; END LOOP; END $$");
    struct invocation late = { .body = hangs_on_cancel, .timeout_ms = 50 };
    invocation_start(&late);
    run_all_invocations();
    assert_int_equal(late.status, 504);
    assert_string_equal(run_invocation(quick, NULL).code, "database_busy");
    turn_for_ms(900);
    assert_fine(run_invocation(quick, NULL));
    struct db_stats stats;
    db_get_stats(&stats);
    assert_int_equal(stats.reconnects, 1);
}

static void terminate_all(void)
{
    run_sql(admin, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'edge_runtime'"
                   " AND datname = current_database()");
    usleep(20000);
}

/* The server closed it while it was idle: nothing had been sent, so nobody notices. */
static void dead_idle_connection(void **state)
{
    NEEDS_SERVER(state);
    use_pool(1);
    for (int i = 0; i < 5; i++) {
        assert_fine(run_invocation(quick, NULL));
        terminate_all();
        assert_fine(run_invocation(quick, NULL));
    }
    expect_clean_pool();
}

static void dead_in_use(void **state)
{
    NEEDS_SERVER(state);
    use_pool(2);
    double seconds = 5;
    struct invocation lost = { .body = sleep_in_database, .arg = &seconds };
    invocation_start(&lost);
    turn_for_ms(50);
    terminate_all();
    run_all_invocations();
    assert_int_equal(lost.status, 503);
    assert_string_equal(lost.code, "database_unavailable");
    assert_fine(run_invocation(quick, NULL));
    expect_clean_pool();
}

/* --- all of it at once ------------------------------------------------------------------------------------ */

static void wander(edge_ctx *ctx, void *arg)
{
    int number = *(int *)arg;
    edge_service_query(ctx, "SELECT pg_sleep($1::float8 / 10000)", edge_int(number % 40));
    EDGE_TRANSACTION(ctx, tx, .service = true, .retries = 2)
    {
        edge_tx_send(tx, "SELECT 1");
        edge_rows *rows = edge_tx_query(tx, "SELECT $1 AS v", edge_int(number));
        assert_int_equal(edge_rows_int(rows, 0, "v"), number);
        edge_sleep(ctx, number % 3);
        if (number % 5 == 0)
            break;
    }
    edge_rows *rows = edge_service_query(ctx, "SELECT $1 AS v", edge_int(number));
    assert_int_equal(edge_rows_int(rows, 0, "v"), number);
}

static void crowd(void **state)
{
    NEEDS_SERVER(state);
    struct db_settings settings = test_settings(4);
    settings.acquire_timeout_ms = 5000;
    restart_pool(&settings);
    enum {
        CROWD = 400
    };
    static struct invocation invocations[CROWD];
    static int numbers[CROWD];
    memset(invocations, 0, sizeof invocations);
    srandom(7);
    for (int i = 0; i < CROWD; i++) {
        numbers[i] = i;
        invocations[i] = (struct invocation){ .body = wander, .arg = &numbers[i] };
        invocation_start(&invocations[i]);
    }
    for (int i = 0; running > 0; i++) {
        struct invocation *victim = &invocations[random() % CROWD];
        if (i % 4 == 0 && victim->ctx != NULL && victim - invocations < CROWD / 2)
            context_client_gone(victim->ctx);
        ev_run(loop, EVRUN_ONCE);
    }
    int gone = 0;
    for (int i = 0; i < CROWD; i++) {
        gone += invocations[i].failed;
        if (invocations[i].failed)
            assert_string_equal(invocations[i].code, "client_gone");
    }
    assert_in_range(gone, 10, CROWD / 2);
    expect_clean_pool();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exhausted),
        cmocka_unit_test(first_come_first_served),
        cmocka_unit_test(deadline),
        cmocka_unit_test(statement_timeout),
        cmocka_unit_test(client_leaves),
        cmocka_unit_test(stubborn_statement),
        cmocka_unit_test(dead_idle_connection),
        cmocka_unit_test(dead_in_use),
        cmocka_unit_test(crowd),
    };
    return cmocka_run_group_tests(tests, start_pool, stop_pool);
}
