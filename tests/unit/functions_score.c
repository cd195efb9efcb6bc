/*
 * The engines' arithmetic: Math.round over its spec's examples, and over many doubles against its definition.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void rounds_as_javascript_does(void **state)
{
    (void)state;
    static const double pairs[][2] = { { 2.5, 3 }, { 3.5, 4 }, { 42.5, 43 }, { -2.5, -2 }, { -2.51, -3 },
        { 0.49999999999999994, 0 }, { 0.5, 1 }, { -0.5, 0 }, { -0.2, 0 }, { 57.49999999999999, 57 },
        { 4503599627370497.5, 4503599627370498 }, { 9007199254740991, 9007199254740991 } };
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        assert_true(js_round(pairs[i][0]) == pairs[i][1]);
        assert_false(signbit(js_round(pairs[i][0])) && pairs[i][1] == 0);
    }
}

static void is_the_nearest_whole_number(void **state)
{
    (void)state;
    srand(1);
    for (int i = 0; i < 1000000; i++) {
        double value = ((double)rand() / RAND_MAX - 0.5) * 2000 + (double)(rand() % 5) / 4;
        double rounded = js_round(value);
        assert_true(rounded == floor(rounded));
        assert_true(rounded - value <= 0.5 && value - rounded < 0.5);
    }
}

static void bands_begin_where_the_spec_says(void **state)
{
    (void)state;
    static const struct {
        double score;
        const char *band;
    } cases[] = { { 0, "Critical" }, { 39.99, "Critical" }, { 40, "At Risk" }, { 59.9, "At Risk" },
        { 60, "Healthy" }, { 79.5, "Healthy" }, { 80, "Optimized" }, { 100, "Optimized" } };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(score_band(cases[i].score), cases[i].band);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounds_as_javascript_does),
        cmocka_unit_test(is_the_nearest_whole_number),
        cmocka_unit_test(bands_begin_where_the_spec_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
