/*
 * Route patterns: which are good, and which two of them get in each other's way.
 */
#include "config/pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void good(void **state)
{
    (void)state;
    static const char *const patterns[] = { "/", "/a", "/functions/v1/computePulse", "/a/{id}",
        "/a/{id}/b/{other}", "/a/*", "/*", "/{tenant}/*", "/a.b/c-d/~e", "/_edges", "/a/@b:c" };
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
        if (pattern_check(patterns[i]) != NULL)
            fail_msg("%s: %s", patterns[i], pattern_check(patterns[i]));
}

static void bad(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *problem;
    } cases[] = {
        { "", "does not begin with \"/\"" },
        { "a", "does not begin with \"/\"" },
        { "/_edge", "lies under /_edge" },
        { "/_edge/live", "lies under /_edge" },
        { "//", "has an empty segment" },
        { "/a//b", "has an empty segment" },
        { "/a/", "has an empty segment" },
        { "/a/*/b", "has a * that is not its last segment" },
        { "/a/b*", "has a segment that is neither" },
        { "/a b", "has a segment that is neither" },
        { "/a%20b", "has a segment that is neither" },
        { "/a?b", "has a segment that is neither" },
        { "/a/../b", "has a segment that is neither" },
        { "/.", "has a segment that is neither" },
        { "/a/b{id}", "has a segment that is neither" },
        { "/{", "has a parameter that is not" },
        { "/{}", "has a parameter that is not" },
        { "/{id", "has a parameter that is not" },
        { "/{id}.json", "has a parameter that is not" },
        { "/{a-b}", "has a parameter that is not" },
        { "/{id}/x/{id}", "names a parameter twice" },
        { "/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}", "has more than eight parameters" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *problem = pattern_check(cases[i].pattern);
        assert_non_null(problem);
        if (strncmp(problem, cases[i].problem, strlen(cases[i].problem)) != 0)
            fail_msg("%s: %s", cases[i].pattern, problem);
    }
}

static void conflicts(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        enum pattern_conflict conflict;
    } cases[] = {
        { "/a", "/a", PATTERNS_EQUAL },
        { "/", "/", PATTERNS_EQUAL },
        { "/a/{x}", "/a/{y}", PATTERNS_EQUAL },
        { "/a/*", "/a/*", PATTERNS_EQUAL },
        { "/a/{x}/*", "/a/{y}/*", PATTERNS_EQUAL },
        { "/a", "/b", PATTERNS_APART },
        { "/a", "/ab", PATTERNS_APART },
        { "/a", "/a/b", PATTERNS_APART },
        { "/a/b", "/a/{x}", PATTERNS_APART },
        { "/a/b", "/a/*", PATTERNS_APART },
        { "/a/{x}", "/a/*", PATTERNS_APART },
        { "/a/b/*", "/a/*", PATTERNS_APART },
        { "/a/{x}/c", "/a/b/d", PATTERNS_APART },
        { "/a/{x}/c", "/a/b/{y}", PATTERNS_AMBIGUOUS },
        { "/{x}/b", "/a/{y}", PATTERNS_AMBIGUOUS },
        { "/{x}/b", "/a/*", PATTERNS_AMBIGUOUS },
        { "/a/b/*", "/a/{x}/c", PATTERNS_AMBIGUOUS },
        { "/a/b/*", "/a/{x}/*", PATTERNS_APART },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(pattern_compare(cases[i].a, cases[i].b), cases[i].conflict);
        assert_int_equal(pattern_compare(cases[i].b, cases[i].a), cases[i].conflict);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good),
        cmocka_unit_test(bad),
        cmocka_unit_test(conflicts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
