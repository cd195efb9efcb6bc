/*
 * Ranges and conditions of signed URLs (RFC 9110 13 and 14).
 */
#include "http/storage_range.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_ranges(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        int64_t size;
        int kind;
        int64_t offset, length;
    } cases[] = {
        { NULL, 10, RANGE_WHOLE, 0, 10 },
        { "bytes=0-", 10, RANGE_PART, 0, 10 },
        { "bytes=0-0", 10, RANGE_PART, 0, 1 },
        { "bytes=3-5", 10, RANGE_PART, 3, 3 },
        { "bytes=9-", 10, RANGE_PART, 9, 1 },
        { "bytes=5-99", 10, RANGE_PART, 5, 5 },
        { "bytes=-3", 10, RANGE_PART, 7, 3 },
        { "bytes=-30", 10, RANGE_PART, 0, 10 },
        { "bytes=10-", 10, RANGE_UNSATISFIABLE, 0, 0 },
        { "bytes=10-11", 10, RANGE_UNSATISFIABLE, 0, 0 },
        { "bytes=-0", 10, RANGE_UNSATISFIABLE, 0, 0 },
        { "bytes=0-", 0, RANGE_UNSATISFIABLE, 0, 0 },
        { "bytes=-1", 0, RANGE_UNSATISFIABLE, 0, 0 },
        { "bytes=5-3", 10, RANGE_WHOLE, 0, 10 },
        { "bytes=1-2,4-5", 10, RANGE_WHOLE, 0, 10 },
        { "bytes=", 10, RANGE_WHOLE, 0, 10 },
        { "bytes=-", 10, RANGE_WHOLE, 0, 10 },
        { "bytes=a-b", 10, RANGE_WHOLE, 0, 10 },
        { "bytes=1-b", 10, RANGE_WHOLE, 0, 10 },
        { "bytes=--1", 10, RANGE_WHOLE, 0, 10 },
        { "bytes=99999999999999999999-", 10, RANGE_WHOLE, 0, 10 },
        { "items=0-1", 10, RANGE_WHOLE, 0, 10 },
        { "", 10, RANGE_WHOLE, 0, 10 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct range range = range_read(cases[i].header, cases[i].size);
        assert_int_equal(range.kind, cases[i].kind);
        assert_int_equal(range.offset, cases[i].offset);
        assert_int_equal(range.length, cases[i].length);
    }
}

static void test_conditions(void **state)
{
    (void)state;
    const struct validators object = { "\"abc\"", "Tue, 10 Mar 2026 12:00:00 GMT", 1773144000 };
    assert_true(range_applies(NULL, &object));
    assert_true(range_applies("\"abc\"", &object));
    assert_false(range_applies("\"abd\"", &object));
    assert_false(range_applies("W/\"abc\"", &object));
    assert_true(range_applies("Tue, 10 Mar 2026 12:00:00 GMT", &object));
    assert_false(range_applies("Tue, 10 Mar 2026 12:00:01 GMT", &object));

    assert_false(range_not_modified(NULL, NULL, &object));
    assert_true(range_not_modified("*", NULL, &object));
    assert_true(range_not_modified("\"x\", W/\"abc\" , \"y\"", NULL, &object));
    assert_false(range_not_modified("\"x\"", "Tue, 10 Mar 2026 12:00:00 GMT", &object));
    assert_false(range_not_modified("", NULL, &object));
    assert_true(range_not_modified(NULL, "Tue, 10 Mar 2026 12:00:00 GMT", &object));
    assert_false(range_not_modified(NULL, "Tue, 10 Mar 2026 11:59:59 GMT", &object));
    assert_false(range_not_modified(NULL, "no date", &object));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_conditions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
