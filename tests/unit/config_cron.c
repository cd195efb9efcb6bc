/*
 * Cron schedules: what is accepted, what is refused in which words, and when they are due.
 */
#include "config/cron.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Whether a schedule is due at a UTC time given as "2026-03-09 06:00". */
static bool due(const char *schedule, const char *at)
{
    struct cron cron;
    char problem[256];
    assert_true(cron_parse(schedule, &cron, problem, sizeof problem));

    struct tm time = { 0 };
    assert_non_null(strptime(at, "%Y-%m-%d %H:%M", &time));
    timegm(&time);
    return cron_due(&cron, &time);
}

static void times(void **state)
{
    (void)state;
    assert_true(due("0 6 * * *", "2026-03-09 06:00"));
    assert_false(due("0 6 * * *", "2026-03-09 06:01"));
    assert_false(due("0 6 * * *", "2026-03-09 18:00"));
    assert_true(due("* * * * *", "2026-12-31 23:59"));
    assert_true(due("*/15 * * * *", "2026-03-09 10:45"));
    assert_false(due("*/15 * * * *", "2026-03-09 10:46"));
    assert_true(due("5-20/5 8-17 * * *", "2026-03-09 17:20"));
    assert_false(due("5-20/5 8-17 * * *", "2026-03-09 17:25"));
    assert_true(due("0,30 1,13 * * *", "2026-03-09 13:30"));
    assert_true(due("10/20 * * * *", "2026-03-09 13:50"));
    assert_false(due("10/20 * * * *", "2026-03-09 13:00"));
    assert_true(due("  0\t6  * * *  ", "2026-03-09 06:00"));
}

static void names(void **state)
{
    (void)state;
    /* 2026-03-09 is a Monday, 2026-03-15 a Sunday. */
    assert_true(due("0 9 * * mon", "2026-03-09 09:00"));
    assert_true(due("0 9 * mar Mon-FRI", "2026-03-09 09:00"));
    assert_false(due("0 9 * * tue-sat", "2026-03-09 09:00"));
    assert_true(due("0 9 * jan,mar *", "2026-03-09 09:00"));
    assert_true(due("0 9 * * 0", "2026-03-15 09:00"));
    assert_true(due("0 9 * * 7", "2026-03-15 09:00"));
    assert_true(due("0 9 * * 5-7", "2026-03-15 09:00"));
}

/* crontab(5): two restricted day fields are an either-or. */
static void days(void **state)
{
    (void)state;
    assert_true(due("0 0 13 * fri", "2026-03-13 00:00"));
    assert_true(due("0 0 13 * fri", "2026-03-20 00:00"));
    assert_true(due("0 0 13 * fri", "2026-05-13 00:00"));
    assert_false(due("0 0 13 * fri", "2026-03-14 00:00"));
    assert_false(due("0 0 13 * *", "2026-03-20 00:00"));
    assert_true(due("0 0 29 2 *", "2028-02-29 00:00"));
    assert_true(due("0 0 31 2 mon", "2026-02-02 00:00"));
}

static void refusals(void **state)
{
    (void)state;
    static const struct {
        const char *schedule, *problem;
    } cases[] = {
        { "", "is no schedule of five fields" },
        { "0 6 * *", "is no schedule of five fields" },
        { "0 6 * * * *", "is no schedule of five fields" },
        { "@daily", "is no schedule of five fields" },
        { "60 6 * * *", "has \"60\" as its minute, which takes 0 to 59, ranges a-b" },
        { "0 24 * * *", "has \"24\" as its hour, which takes 0 to 23" },
        { "0 6 0 * *", "has \"0\" as its day of month, which takes 1 to 31" },
        { "0 6 * 13 *", "has \"13\" as its month, which takes 1 to 12 or names of three letters" },
        { "0 6 * * 8", "has \"8\" as its day of week, which takes 0 to 7 or names" },
        { "0 6 * * monday", "has \"monday\" as its day of week" },
        { "-5 6 * * *", "has \"-5\" as its minute" },
        { "5- 6 * * *", "has \"5-\" as its minute" },
        { "20-10 6 * * *", "has \"20-10\" as its minute" },
        { "*/0 6 * * *", "has \"*/0\" as its minute" },
        { "*/ 6 * * *", "has \"*/\" as its minute" },
        { "1,,2 6 * * *", "has \"1,,2\" as its minute" },
        { "1, 6 * * *", "has \"1,\" as its minute" },
        { "1;2 6 * * *", "has \"1;2\" as its minute" },
        { "001 6 * * *", "has \"001\" as its minute" },
        { "mon 6 * * *", "has \"mon\" as its minute" },
        { "0 0 30 2 *", "never comes due" },
        { "0 0 31 4,6,9,11 *", "never comes due" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct cron cron;
        char problem[256] = "";
        assert_false(cron_parse(cases[i].schedule, &cron, problem, sizeof problem));
        if (strncmp(problem, cases[i].problem, strlen(cases[i].problem)) != 0)
            fail_msg("\"%s\": %s", cases[i].schedule, problem);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times),
        cmocka_unit_test(names),
        cmocka_unit_test(days),
        cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
