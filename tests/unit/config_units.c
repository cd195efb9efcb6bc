/*
 * Durations, sizes and rates as people write them.
 */
#include "config/units.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t milliseconds; /* -1: refused */
    } cases[] = {
        { "0ms", 0 },
        { "500ms", 500 },
        { "10s", 10000 },
        { "2min", 120000 },
        { "1h", 3600000 },
        { "7d", 604800000 },
        { "", -1 },
        { "10", -1 },
        { "s", -1 },
        { "-1s", -1 },
        { "1.5s", -1 },
        { "10 s", -1 },
        { "10S", -1 },
        { "10m", -1 },
        { "10sec", -1 },
        { "1000000000000s", -1 },
        { "999999999999d", -1 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t milliseconds = -1;
        if (!duration_parse(cases[i].text, &milliseconds))
            milliseconds = -1;
        assert_int_equal(milliseconds, cases[i].milliseconds);
    }
}

static void sizes(void **state)
{
    (void)state;
    int64_t bytes;
    assert_true(size_parse("512B", &bytes));
    assert_int_equal(bytes, 512);
    assert_true(size_parse("64KiB", &bytes));
    assert_int_equal(bytes, 65536);
    assert_true(size_parse("32MiB", &bytes));
    assert_int_equal(bytes, 33554432);
    assert_true(size_parse("2GiB", &bytes));
    assert_int_equal(bytes, INT64_C(2147483648));
    /* Powers of ten would be taken for powers of two, or the other way round. */
    assert_false(size_parse("64KB", &bytes));
    assert_false(size_parse("64k", &bytes));
    assert_false(size_parse("64", &bytes));
    assert_false(size_parse("99999999999GiB", &bytes));
}

static void written_back(void **state)
{
    (void)state;
    char buffer[64];
    assert_string_equal(duration_format(0, buffer), "0ms");
    assert_string_equal(duration_format(1500, buffer), "1500ms");
    assert_string_equal(duration_format(90000, buffer), "90s");
    assert_string_equal(duration_format(120000, buffer), "2min");
    assert_string_equal(duration_format(86400000, buffer), "1d");
    assert_string_equal(size_format(8388608, buffer), "8MiB");
    assert_string_equal(size_format(1000, buffer), "1000B");
    assert_string_equal(rate_format(&(struct rate_limit){ RATE_PER_USER, 60, 60 }, buffer), "60/min per user");
    assert_string_equal(rate_format(&(struct rate_limit){ RATE_TOTAL, 5, 1 }, buffer), "5/s");
    assert_string_equal(rate_format(&(struct rate_limit){ .scope = RATE_NONE }, buffer), "-");
}

static void rates(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        struct rate_limit rate;
    } cases[] = {
        { "60/min per user", { RATE_PER_USER, 60, 60 } },
        { "5/s per ip", { RATE_PER_IP, 5, 1 } },
        { "1000/h", { RATE_TOTAL, 1000, 3600 } },
        { "10/day per user", { RATE_PER_USER, 10, 86400 } },
        { "none", { RATE_NONE, 0, 0 } },
    };
    struct rate_limit rate;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(rate_parse(cases[i].text, &rate));
        assert_int_equal(rate.scope, cases[i].rate.scope);
        assert_int_equal(rate.count, cases[i].rate.count);
        assert_int_equal(rate.window_seconds, cases[i].rate.window_seconds);
    }

    static const char *const refused[] = { "", "60", "60/", "/min", "0/min", "60/week", "60/min per",
        "60/min  per user", "60/min per org", "60/min per user ", "-1/min", "6e1/min", "99999999999/min",
        "60/minutes", "None" };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        assert_false(rate_parse(refused[i], &rate));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations),
        cmocka_unit_test(sizes),
        cmocka_unit_test(written_back),
        cmocka_unit_test(rates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
