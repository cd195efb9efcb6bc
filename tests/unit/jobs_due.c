/*
 * Which minutes a schedule fires in, around changes of the clock as the system's time zones have them.
 */
#include "jobs/due.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum {
    COUNT_MAX = 30 * 60 + DUE_BEFORE
};

static int64_t unix_minute(const char *utc)
{
    struct tm time = { 0 };
    assert_non_null(strptime(utc, "%Y-%m-%d %H:%M", &time));
    return timegm(&time) / 60;
}

/*
 * The minutes from first to last (UTC, "2026-03-08 05:00") that a schedule fires in, as "hh:mm" of UTC with
 * blanks between them.
 */
static const char *fired(const char *zone, const char *schedule, const char *first, const char *last)
{
    static char out[4096];
    static int64_t local[COUNT_MAX];
    static bool fires[COUNT_MAX];
    struct cron cron;
    char problem[256];
    assert_true(cron_parse(schedule, &cron, problem, sizeof problem));
    setenv("TZ", zone, 1);
    tzset();

    int64_t from = unix_minute(first) - DUE_BEFORE;
    size_t count = (size_t)(unix_minute(last) - from + 1), length = 0;
    assert_in_range(count, 1, COUNT_MAX);
    for (size_t i = 0; i < count; i++) {
        time_t at = (from + (int64_t)i) * 60;
        struct tm shown;
        localtime_r(&at, &shown);
        local[i] = at + shown.tm_gmtoff;
    }
    due_minutes(&cron, local, count, fires);

    out[0] = '\0';
    for (size_t i = DUE_BEFORE; i < count; i++) {
        int64_t minute = (from + (int64_t)i) % 1440;
        if (fires[i] && length < sizeof out - 8)
            length += (size_t)sprintf(
                out + length, "%s%02d:%02d", length > 0 ? " " : "", (int)(minute / 60), (int)(minute % 60));
    }
    return out;
}

static void in_utc(void **state)
{
    (void)state;
    assert_string_equal(fired("UTC", "0 6 * * *", "2026-03-08 00:00", "2026-03-08 23:59"), "06:00");
    assert_string_equal(
        fired("UTC", "*/20 6 * * *", "2026-03-08 00:00", "2026-03-08 23:59"), "06:00 06:20 06:40");
    assert_string_equal(fired("UTC", "* * * * *", "2026-03-08 10:00", "2026-03-08 10:02"), "10:00 10:01 10:02");
    assert_string_equal(fired("UTC", "0 6 9 * *", "2026-03-08 00:00", "2026-03-08 23:59"), "");
}

/* New York, 2026-03-08: 01:59 EST (06:59 UTC) is followed by 03:00 EDT. */
static void skipped(void **state)
{
    (void)state;
    const char *zone = "America/New_York", *first = "2026-03-08 05:00", *last = "2026-03-08 12:00";
    assert_string_equal(fired(zone, "30 2 * * *", first, last), "07:00");
    assert_string_equal(fired(zone, "*/15 2 * * *", first, last), "07:00");
    assert_string_equal(fired(zone, "0 3 * * *", first, last), "07:00");
    assert_string_equal(fired(zone, "30 1 * * *", first, last), "06:30");
    assert_string_equal(fired(zone, "30 2,3 * * *", first, last), "07:00 07:30");
    assert_string_equal(fired(zone, "30 * * * *", first, "2026-03-08 08:59"), "05:30 06:30 07:30 08:30");
    /* The day after, all is as it was. */
    assert_string_equal(fired(zone, "30 2 * * *", "2026-03-09 00:00", "2026-03-09 23:59"), "06:30");
}

/* New York, 2026-11-01: 01:59 EDT (05:59 UTC) is followed by 01:00 EST. */
static void repeated(void **state)
{
    (void)state;
    const char *zone = "America/New_York", *first = "2026-11-01 04:00", *last = "2026-11-01 12:00";
    assert_string_equal(fired(zone, "30 1 * * *", first, last), "05:30");
    assert_string_equal(fired(zone, "0,30 1 * * *", first, last), "05:00 05:30");
    assert_string_equal(fired(zone, "0 2 * * *", first, last), "07:00");
    assert_string_equal(fired(zone, "30 * * * *", first, "2026-11-01 07:59"), "04:30 05:30 06:30 07:30");
    /* Asked about the repeated hour only, as a host that has just been started does. */
    assert_string_equal(fired(zone, "30 1 * * *", "2026-11-01 06:00", "2026-11-01 06:59"), "");
}

/* Lord Howe moves by half an hour: 2026-10-04 01:59 (15:29 UTC the day before) is followed by 02:30. */
static void half_an_hour(void **state)
{
    (void)state;
    const char *zone = "Australia/Lord_Howe";
    assert_string_equal(fired(zone, "15 2 * * *", "2026-10-03 14:00", "2026-10-03 18:00"), "15:30");
    assert_string_equal(fired(zone, "45 2 * * *", "2026-10-03 14:00", "2026-10-03 18:00"), "15:45");
    /* 2026-04-05 01:59 (14:59 UTC) is followed by 01:30. */
    assert_string_equal(fired(zone, "45 1 * * *", "2026-04-04 13:00", "2026-04-04 18:00"), "14:45");
    assert_string_equal(fired(zone, "10 1 * * *", "2026-04-04 13:00", "2026-04-04 18:00"), "14:10");
}

/* Samoa had no 30 December 2011: 29 December 23:59 (09:59 UTC on the 30th) is followed by the 31st. */
static void a_day(void **state)
{
    (void)state;
    const char *zone = "Pacific/Apia";
    assert_string_equal(fired(zone, "0 6,18 30 12 *", "2011-12-30 00:00", "2011-12-30 23:59"), "10:00");
}

/* Kathmandu is 5:45 ahead of UTC. */
static void odd_offsets(void **state)
{
    (void)state;
    assert_string_equal(fired("Asia/Kathmandu", "0 6 * * *", "2026-06-01 00:00", "2026-06-01 23:59"), "00:15");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_utc),
        cmocka_unit_test(skipped),
        cmocka_unit_test(repeated),
        cmocka_unit_test(half_an_hour),
        cmocka_unit_test(a_day),
        cmocka_unit_test(odd_offsets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
