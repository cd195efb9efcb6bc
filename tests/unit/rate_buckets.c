/*
 * Rate limits: what a bucket gives, when it is full again, many callers, and many processes.
 */
#include <http/rate.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const int64_t second_us = 1000000;
static const struct rate_limit sixty_a_minute = { RATE_PER_USER, 60, 60 };

static uint32_t take_many(
    struct rate_table *table, uint64_t key, const struct rate_limit *limit, int64_t now, int n)
{
    uint32_t allowed = 0;
    for (int i = 0; i < n; i++)
        allowed += rate_take(table, key, limit, now) == 0;
    return allowed;
}

static void test_bucket(void **state)
{
    (void)state;
    struct rate_table *table = rate_table_create(64);
    int64_t now = clock_us() + second_us;
    uint64_t key = rate_key(table, "f", RATE_PER_USER, "user_a");

    assert_int_equal(take_many(table, key, &sixty_a_minute, now, 100), 60);
    assert_int_equal(rate_take(table, key, &sixty_a_minute, now), 1);
    assert_int_equal(rate_take(table, key, &sixty_a_minute, now + second_us), 0);
    assert_int_equal(rate_take(table, key, &sixty_a_minute, now + second_us), 1);
    assert_int_equal(take_many(table, key, &sixty_a_minute, now + 31 * second_us, 100), 30);
    assert_int_equal(take_many(table, key, &sixty_a_minute, now + 500 * second_us, 100), 60);

    uint64_t other = rate_key(table, "f", RATE_PER_USER, "user_b");
    assert_int_equal(take_many(table, other, &sixty_a_minute, now, 100), 60);
    assert_int_not_equal(key, rate_key(table, "g", RATE_PER_USER, "user_a"));
    assert_int_not_equal(key, rate_key(table, "f", RATE_PER_IP, "user_a"));

    const struct rate_limit daily = { RATE_TOTAL, 1, 86400 };
    uint64_t total = rate_key(table, "f", RATE_TOTAL, "");
    assert_int_equal(rate_take(table, total, &daily, now), 0);
    assert_int_equal(rate_take(table, total, &daily, now), 86400);
    assert_int_equal(rate_take(table, total, &daily, now + 86399 * second_us), 1);
    assert_int_equal(rate_take(table, total, &daily, now + 86400 * second_us), 0);
    rate_table_free(table);
}

static void test_changed_limit(void **state)
{
    (void)state;
    struct rate_table *table = rate_table_create(64);
    int64_t now = clock_us() + second_us;
    uint64_t key = rate_key(table, "f", RATE_TOTAL, "");
    const struct rate_limit daily = { RATE_TOTAL, 1, 86400 };
    assert_int_equal(rate_take(table, key, &daily, now), 0);
    /* A day's wait is no minute's: the new limit's window bounds it. */
    assert_int_equal(rate_take(table, key, &sixty_a_minute, now), 1);
    assert_int_equal(rate_take(table, key, &sixty_a_minute, now + second_us), 1);
    rate_table_free(table);
}

static void test_long_up(void **state)
{
    (void)state;
    struct rate_table *table = rate_table_create(64);
    uint64_t key = rate_key(table, "f", RATE_TOTAL, "");
    int64_t now = clock_us();
    /* A table's clock wraps after 203 days; walk two years in steps of an odd length. */
    for (int64_t day = 0; day < 730; day += 1) {
        int64_t then = now + day * 86400 * second_us + day * 777;
        assert_int_equal(take_many(table, key, &sixty_a_minute, then, 61), 60);
    }
    rate_table_free(table);
}

static void test_crowded(void **state)
{
    (void)state;
    struct rate_table *table = rate_table_create(64);
    int64_t now = clock_us() + second_us;
    char id[32];
    for (int i = 0; i < 10000; i++) {
        snprintf(id, sizeof id, "user_%d", i);
        uint64_t key = rate_key(table, "f", RATE_PER_USER, id);
        assert_int_equal(rate_take(table, key, &sixty_a_minute, now + i), 0);
    }
    rate_table_free(table);

    /* With room for all, nobody's count is lost. */
    table = rate_table_create(65536);
    int wrong = 0;
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 5000; i++) {
            snprintf(id, sizeof id, "user_%d", i);
            uint64_t key = rate_key(table, "f", RATE_PER_USER, id);
            wrong += take_many(table, key, &sixty_a_minute, now, 30) != (round < 2 ? 30 : 0);
        }
    }
    assert_true(wrong <= 2); /* tags of one set may coincide, once in half a million pairs */
    rate_table_free(table);
}

/* A child's share of a race for one bucket; the number of calls it got through is its exit status. */
static void child(struct rate_table *table, uint64_t key, const struct rate_limit *limit, int64_t now)
{
    _exit((int)take_many(table, key, limit, now, 5000));
}

static void test_processes(void **state)
{
    (void)state;
    enum {
        CHILDREN = 4
    };
    const struct rate_limit limit = { RATE_TOTAL, 200, 86400 };
    for (int round = 0; round < 20; round++) {
        struct rate_table *table = rate_table_create(64);
        int64_t now = clock_us() + second_us;
        uint64_t key = rate_key(table, "f", RATE_TOTAL, "");
        pid_t pids[CHILDREN];
        for (int i = 0; i < CHILDREN; i++) {
            pids[i] = fork();
            assert_true(pids[i] >= 0);
            if (pids[i] == 0)
                child(table, key, &limit, now);
        }
        int allowed = 0;
        for (int i = 0; i < CHILDREN; i++) {
            int status = 0;
            assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
            assert_true(WIFEXITED(status));
            allowed += WEXITSTATUS(status);
        }
        assert_int_equal(allowed, 200);
        rate_table_free(table);
    }
}

/* How many of n calls of one caller get through. */
static struct function_config limited = { .name = "f", .rate = { RATE_PER_IP, 3, 60 } };
static int through;

static void call_main(edge_ctx *ctx)
{
    rate_admit(ctx, &limited);
    ctx->identity = *(const struct identity *)ctx->host;
    rate_enforce(ctx, &limited);
    through++;
}

static void call_finished(edge_ctx *ctx)
{
    if (ctx->failure == NULL)
        return;
    assert_int_equal(ctx->failure->status, 429);
    assert_string_equal(ctx->failure->code, "rate_limited");
    assert_in_range(ctx->failure->said.retry_after_seconds, 1, 20);
}

static int calls(enum rate_scope scope, const struct identity *identity, const char *ip, int n)
{
    static const struct context_ops ops = { .main = call_main, .finished = call_finished };
    limited.rate.scope = scope;
    through = 0;
    for (int i = 0; i < n; i++) {
        edge_ctx *ctx = context_create(&(const struct context_setup){
            .ops = &ops, .host = (void *)identity, .name = "f", .generation = "", .memory_bytes = 65536 });
        ctx->request.ip = ip;
        context_run(ctx);
    }
    return through;
}

static void test_scopes(void **state)
{
    (void)state;
    const struct identity nobody = { .caller = EDGE_CALLER_NOBODY };
    const struct identity service = { .caller = EDGE_CALLER_SERVICE };
    const struct identity user_a = { .caller = EDGE_CALLER_USER, .user = "user_a" };
    const struct identity user_b = { .caller = EDGE_CALLER_USER, .user = "user_b" };
    struct ev_loop *loop = ev_default_loop(0);
    fiber_system_start(loop, 65536);
    assert_int_equal(calls(RATE_PER_USER, &user_a, "192.0.2.1", 9), 9); /* no table: nobody counts */

    struct rate_table *table = rate_table_create(64);
    rate_use(table);
    assert_int_equal(calls(RATE_NONE, &nobody, "192.0.2.1", 9), 9);
    assert_int_equal(calls(RATE_PER_USER, &user_a, "192.0.2.1", 9), 3);
    assert_int_equal(calls(RATE_PER_USER, &user_b, "192.0.2.1", 9), 3);
    assert_int_equal(calls(RATE_PER_USER, &service, "192.0.2.1", 9), 9);
    assert_int_equal(calls(RATE_PER_USER, &nobody, "192.0.2.1", 9), 3);
    assert_int_equal(calls(RATE_PER_IP, &user_a, "192.0.2.1", 9), 0); /* the address's bucket is the same one */
    assert_int_equal(calls(RATE_PER_IP, &service, "192.0.2.2", 9), 3);
    assert_int_equal(calls(RATE_PER_IP, &nobody, "::ffff:192.0.2.2", 9), 0);
    assert_int_equal(calls(RATE_PER_IP, &nobody, "2001:db8:0:1::1", 2), 2);
    assert_int_equal(calls(RATE_PER_IP, &nobody, "2001:db8:0:1:ffff::2", 2), 1);
    assert_int_equal(calls(RATE_PER_IP, &nobody, "2001:db8:0:2::1", 2), 2);
    assert_int_equal(calls(RATE_PER_IP, &nobody, "", 9), 3);
    assert_int_equal(calls(RATE_TOTAL, &user_a, "192.0.2.9", 2), 2);
    assert_int_equal(calls(RATE_TOTAL, &service, "192.0.2.8", 2), 1);

    rate_use(NULL);
    rate_table_free(table);
    fiber_system_stop();
    ev_loop_destroy(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bucket),
        cmocka_unit_test(test_changed_limit),
        cmocka_unit_test(test_long_up),
        cmocka_unit_test(test_crowded),
        cmocka_unit_test(test_processes),
        cmocka_unit_test(test_scopes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
