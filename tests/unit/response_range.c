/*
 * Conditional and range requests: the answers of RFC 9110 13 and 14, case by case.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <range.h>

#include <string.h>

static const struct file_state file = { .size = 1000, .modified_s = 784111777, .etag = "\"abc\"" };
#define MODIFIED "Sun, 06 Nov 1994 08:49:37 GMT"

static struct file_answer decide(struct file_request request)
{
    struct file_answer answer;
    if (request.method == NULL)
        request.method = "GET";
    file_answer_decide(&answer, &request, &file);
    return answer;
}

static void gives_range(const char *range, uint64_t offset, uint64_t length, const char *content_range)
{
    struct file_answer answer = decide((struct file_request){ .range = range });
    assert_int_equal(answer.status, 206);
    assert_int_equal(answer.offset, offset);
    assert_int_equal(answer.length, length);
    assert_string_equal(answer.content_range, content_range);
}

static void test_ranges(void **state)
{
    (void)state;
    gives_range("bytes=0-0", 0, 1, "bytes 0-0/1000");
    gives_range("bytes=0-999", 0, 1000, "bytes 0-999/1000");
    gives_range("bytes=500-", 500, 500, "bytes 500-999/1000");
    gives_range("bytes=990-5000", 990, 10, "bytes 990-999/1000");
    gives_range("bytes=-10", 990, 10, "bytes 990-999/1000");
    gives_range("bytes=-5000", 0, 1000, "bytes 0-999/1000");
    gives_range("Bytes= 1-2 ", 1, 2, "bytes 1-2/1000");
    gives_range("bytes=5-99999999999999999999999", 5, 995, "bytes 5-999/1000");
}

static void test_ignored_ranges(void **state)
{
    (void)state;
    static const char *const ranges[] = { "bytes=2-1", "bytes=", "bytes=-", "bytes=a-b", "bytes=0-1,3-4",
        "lines=0-1", "bytes 0-1", "bytes=1", "bytes=0-1x", "", "bytes=--1" };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        struct file_answer answer = decide((struct file_request){ .range = ranges[i] });
        assert_int_equal(answer.status, 200);
        assert_int_equal(answer.length, 1000);
    }
    assert_int_equal(decide((struct file_request){ .method = "POST", .range = "bytes=0-1" }).status, 200);
    assert_int_equal(decide((struct file_request){ .method = "HEAD", .range = "bytes=0-1" }).status, 200);
}

static void test_unsatisfiable(void **state)
{
    (void)state;
    static const char *const ranges[] = { "bytes=1000-", "bytes=5000-6000", "bytes=-0",
        "bytes=99999999999999999999-" };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        struct file_answer answer = decide((struct file_request){ .range = ranges[i] });
        assert_int_equal(answer.status, 416);
        assert_string_equal(answer.content_range, "bytes */1000");
    }
    struct file_answer answer;
    const struct file_state empty = { .size = 0 };
    file_answer_decide(&answer, &(struct file_request){ .method = "GET", .range = "bytes=-5" }, &empty);
    assert_int_equal(answer.status, 416);
}

static void test_if_range(void **state)
{
    (void)state;
    static const struct {
        const char *if_range;
        int status;
    } cases[] = { { "\"abc\"", 206 }, { "\"xyz\"", 200 }, { "W/\"abc\"", 200 }, { MODIFIED, 206 },
        { "Sun, 06 Nov 1994 08:49:38 GMT", 200 }, { "yesterday", 200 } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(
            decide((struct file_request){ .range = "bytes=0-1", .if_range = cases[i].if_range }).status,
            cases[i].status);
}

static void test_conditions(void **state)
{
    (void)state;
    static const struct {
        struct file_request request;
        int status;
    } cases[] = {
        { { .if_none_match = "\"abc\"" }, 304 },
        { { .if_none_match = "W/\"abc\"" }, 304 },
        { { .if_none_match = "\"x\", \"abc\"" }, 304 },
        { { .if_none_match = "*" }, 304 },
        { { .if_none_match = "\"x\"" }, 200 },
        { { .if_none_match = "abc" }, 200 },
        { { .if_none_match = "\"abc" }, 200 },
        { { .if_none_match = "\"x\"", .if_modified_since = MODIFIED }, 200 },
        { { .if_modified_since = MODIFIED }, 304 },
        { { .if_modified_since = "Sun, 06 Nov 1994 08:49:36 GMT" }, 200 },
        { { .if_modified_since = "never" }, 200 },
        { { .if_match = "\"abc\"" }, 200 },
        { { .if_match = "W/\"abc\"" }, 412 },
        { { .if_match = "\"x\"" }, 412 },
        { { .if_unmodified_since = MODIFIED }, 200 },
        { { .if_unmodified_since = "Sun, 06 Nov 1994 08:49:36 GMT" }, 412 },
        { { .method = "HEAD", .if_none_match = "\"abc\"" }, 304 },
        { { .method = "POST", .if_none_match = "\"abc\"" }, 200 },
        { { .if_none_match = "\"abc\"", .range = "bytes=0-1" }, 304 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(decide(cases[i].request).status, cases[i].status);
}

static void test_dates(void **state)
{
    (void)state;
    static const char *const same[] = { MODIFIED, "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994" };
    for (size_t i = 0; i < 3; i++) {
        int64_t seconds = 0;
        assert_true(http_date_read(same[i], &seconds));
        assert_int_equal(seconds, 784111777);
    }
    int64_t seconds = 0;
    assert_false(http_date_read("1994-11-06", &seconds));
    char text[32];
    http_date_write(784111777, text);
    assert_string_equal(text, MODIFIED);
    assert_string_equal(decide((struct file_request){ 0 }).last_modified, MODIFIED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_ignored_ranges),
        cmocka_unit_test(test_unsatisfiable),
        cmocka_unit_test(test_if_range),
        cmocka_unit_test(test_conditions),
        cmocka_unit_test(test_dates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
