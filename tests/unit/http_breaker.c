/*
 * The circuit breaker with a clock of its own.
 */
#include <http/breaker.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000)

static void fail_times(struct breaker *breaker, int count, int64_t now_us)
{
    for (int i = 0; i < count; i++)
        breaker_report(breaker, false, VERDICT_BAD, now_us);
}

static void test_opens_after_ten_in_a_row(void **state)
{
    (void)state;
    struct breaker breaker = { 0 };
    fail_times(&breaker, 9, SECOND);
    assert_int_equal(breaker_admit(&breaker, SECOND), BREAKER_PASS);
    assert_true(breaker_report(&breaker, false, VERDICT_BAD, SECOND));
    assert_int_equal(breaker.opened_count, 1);
    assert_true(breaker_refuses(&breaker, SECOND));
    assert_int_equal(breaker_admit(&breaker, SECOND), BREAKER_REFUSE);
    assert_int_equal(breaker_retry_after_seconds(&breaker, SECOND), 5);
    assert_int_equal(breaker_retry_after_seconds(&breaker, SECOND + 4 * SECOND + 1), 1);
    assert_int_equal(breaker_admit(&breaker, 6 * SECOND - 1), BREAKER_REFUSE);
    assert_int_equal(breaker_admit(&breaker, 6 * SECOND), BREAKER_PROBE);
}

static void test_success_starts_the_count_anew(void **state)
{
    (void)state;
    struct breaker breaker = { 0 };
    fail_times(&breaker, 9, SECOND);
    breaker_report(&breaker, false, VERDICT_GOOD, SECOND);
    fail_times(&breaker, 9, SECOND);
    assert_int_equal(breaker.state, BREAKER_CLOSED);
}

static void test_rate_limits_do_not_count(void **state)
{
    (void)state;
    struct breaker breaker = { 0 };
    fail_times(&breaker, 9, SECOND);
    for (int i = 0; i < 100; i++)
        breaker_report(&breaker, false, VERDICT_NONE, SECOND);
    assert_int_equal(breaker.state, BREAKER_CLOSED);
    fail_times(&breaker, 1, SECOND);
    assert_int_equal(breaker.state, BREAKER_OPEN);
}

static void test_failures_must_be_within_the_window(void **state)
{
    (void)state;
    struct breaker breaker = { 0 };
    for (int i = 0; i < 40; i++)
        breaker_report(&breaker, false, VERDICT_BAD, i * 4 * SECOND);
    assert_int_equal(breaker.state, BREAKER_CLOSED);
    /* Ten within 27 s: eight more after two of the slow ones. */
    fail_times(&breaker, 8, 40 * 4 * SECOND);
    assert_int_equal(breaker.state, BREAKER_OPEN);
}

static void test_probe_decides(void **state)
{
    (void)state;
    struct breaker breaker = { 0 };
    fail_times(&breaker, 10, 0);
    int64_t now = BREAKER_PAUSE_US;
    assert_int_equal(breaker_admit(&breaker, now), BREAKER_PROBE);
    assert_int_equal(breaker_admit(&breaker, now), BREAKER_REFUSE);
    assert_int_equal(breaker_retry_after_seconds(&breaker, now), 1);
    assert_false(breaker_report(&breaker, false, VERDICT_GOOD, now)); /* a late call of before */
    assert_true(breaker_report(&breaker, true, VERDICT_BAD, now));
    assert_int_equal(breaker.state, BREAKER_OPEN);

    now += BREAKER_PAUSE_US;
    assert_int_equal(breaker_admit(&breaker, now), BREAKER_PROBE);
    assert_true(breaker_report(&breaker, true, VERDICT_GOOD, now));
    assert_int_equal(breaker_admit(&breaker, now), BREAKER_PASS);
    fail_times(&breaker, 9, now);
    assert_int_equal(breaker.state, BREAKER_CLOSED);
}

static void test_probe_called_off(void **state)
{
    (void)state;
    struct breaker breaker = { 0 };
    fail_times(&breaker, 10, 0);
    int64_t now = BREAKER_PAUSE_US;
    assert_int_equal(breaker_admit(&breaker, now), BREAKER_PROBE);
    breaker_report(&breaker, true, VERDICT_NONE, now);
    assert_int_equal(breaker_admit(&breaker, now), BREAKER_PROBE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_opens_after_ten_in_a_row),
        cmocka_unit_test(test_success_starts_the_count_anew),
        cmocka_unit_test(test_rate_limits_do_not_count),
        cmocka_unit_test(test_failures_must_be_within_the_window),
        cmocka_unit_test(test_probe_decides),
        cmocka_unit_test(test_probe_called_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
