/*
 * LISTEN: every notification to everybody who listens, over one connection, and the truth about what was
 * missed.
 */
#include "db_harness.h"

#define LISTENING                                                                                              \
    "SELECT count(*) FROM pg_stat_activity WHERE query ILIKE '%LISTEN %' AND usename = 'edge_runtime'"

static void notify(const char *channel, const char *payload)
{
    const char *const values[] = { channel, payload };
    PGresult *result = PQexecParams(admin, "SELECT pg_notify($1, $2)", 2, NULL, values, NULL, NULL, 0);
    assert_int_equal(PQresultStatus(result), PGRES_TUPLES_OK);
    PQclear(result);
}

static void hear_two(edge_ctx *ctx, void *arg)
{
    edge_listener *listener = edge_listen(ctx, arg);
    notify(arg, "one");
    notify("another", "no");
    notify(arg, "");
    assert_string_equal(edge_listen_next(listener, 5000)->payload, "one");
    const edge_notification *second = edge_listen_next(listener, -1);
    assert_string_equal(second->payload, "");
    assert_false(second->missed);
    assert_null(edge_listen_next(listener, 20));
    assert_null(edge_listen_next(listener, 0));
}

static void hearing(void **state)
{
    NEEDS_SERVER(state);
    assert_fine(run_invocation(hear_two, "goals"));
    assert_fine(run_invocation(hear_two, "With \"quotes\" and \xc3\xbc"));
    assert_fine(run_invocation(hear_two, "goals"));
    assert_int_equal(ask_int(LISTENING), 1);
}

static int heard;

static void hear_one(edge_ctx *ctx, void *arg)
{
    edge_listener *listener = edge_listen(ctx, arg);
    const edge_notification *notification = edge_listen_next(listener, 10000);
    assert_non_null(notification);
    assert_string_equal(notification->payload, arg);
    heard++;
}

/* A hundred listeners of ten channels, one connection. */
static void many(void **state)
{
    NEEDS_SERVER(state);
    static char names[10][16];
    static struct invocation invocations[100];
    for (int i = 0; i < 100; i++) {
        snprintf(names[i % 10], sizeof names[0], "channel_%d", i % 10);
        invocations[i] = (struct invocation){ .body = hear_one, .arg = names[i % 10] };
        invocation_start(&invocations[i]);
    }
    turn_for_ms(300);
    for (int i = 0; i < 10; i++)
        notify(names[i], names[i]);
    run_all_invocations();
    for (int i = 0; i < 100; i++)
        assert_fine(invocations[i]);
    assert_int_equal(heard, 100);
    assert_int_equal(ask_int(LISTENING), 1);
}

static void survive(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_listener *listener = edge_listen(ctx, "survivor");
    run_sql(admin, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ILIKE '%LISTEN %'"
                   " AND usename = 'edge_runtime'");
    notify("survivor", "lost");
    const edge_notification *notification = edge_listen_next(listener, 10000);
    assert_non_null(notification);
    assert_true(notification->missed);
    notify("survivor", "after");
    notification = edge_listen_next(listener, 10000);
    assert_string_equal(notification->payload, "after");
}

static void overflow(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_listener *listener = edge_listen(ctx, "flood");
    run_sql(admin, "SELECT pg_notify('flood', i::text) FROM generate_series(1, 1000) AS i");
    edge_sleep(ctx, 300);
    assert_true(edge_listen_next(listener, 5000)->missed);
}

static void fall_behind(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_listener *listener = edge_listen(ctx, "tail");
    run_sql(admin, "SELECT pg_notify('tail', i::text) FROM generate_series(1, 200) AS i");
    char wanted[8];
    for (int i = 1; i <= 200; i++) {
        snprintf(wanted, sizeof wanted, "%d", i);
        assert_string_equal(edge_listen_next(listener, 5000)->payload, wanted);
    }
}

static void losing(void **state)
{
    NEEDS_SERVER(state);
    assert_fine(run_invocation(survive, NULL));
    assert_fine(run_invocation(overflow, NULL));
    assert_fine(run_invocation(fall_behind, NULL));
}

static void listen_to(edge_ctx *ctx, void *arg)
{
    edge_listen(ctx, arg);
}

static void listen_for_ever(edge_ctx *ctx, void *arg)
{
    edge_listen_next(edge_listen(ctx, arg), -1);
}

static void refusals(void **state)
{
    NEEDS_SERVER(state);
    static const char long_name[] = "a234567890123456789012345678901234567890123456789012345678901234";
    assert_int_equal(run_invocation(listen_to, "").status, 500);
    assert_int_equal(run_invocation(listen_to, (char *)long_name).status, 500);
    assert_fine(run_invocation(listen_to, (char *)long_name + 1));

    struct invocation late = { .body = listen_for_ever, .arg = "late", .timeout_ms = 200 };
    invocation_start(&late);
    run_all_invocations();
    assert_int_equal(late.status, 504);

    struct db_settings pooled = test_settings(1), nowhere = test_settings(1);
    pooled.pgbouncer = true;
    restart_pool(&pooled);
    assert_string_equal(run_invocation(listen_to, "x").code, "not_configured");
    nowhere.url = "host=/nonexistent";
    restart_pool(&nowhere);
    assert_string_equal(run_invocation(listen_to, "x").code, "database_unavailable");
    nowhere.url = NULL;
    restart_pool(&nowhere);
    assert_string_equal(run_invocation(listen_to, "x").code, "not_configured");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hearing),
        cmocka_unit_test(many),
        cmocka_unit_test(losing),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, start_pool, stop_pool);
}
