/*
 * The supervisor's books: which build serves, which one a function goes back to, who is let in while it is
 * quarantined; and what in two configurations is the same.
 */
#include "supervisor/deployment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/compare.h"
#include "config/config.h"

static struct build build_of(const char *hash)
{
    struct build build = { 0 };
    snprintf(build.hash, sizeof build.hash, "%s", hash);
    return build;
}

static void serve(struct function_record *record, const char *hash)
{
    struct build build = build_of(hash);
    record_serve(record, &build, 1);
}

static void goes_back_through_the_last_three(void **state)
{
    (void)state;
    struct function_record record = { 0 };
    assert_false(record_roll_back(&record, 1));
    serve(&record, "a");
    assert_false(record_roll_back(&record, 1));
    serve(&record, "b");
    serve(&record, "c");
    serve(&record, "d");
    assert_true(record_roll_back(&record, 1));
    assert_string_equal(record.serving.hash, "c");
    assert_string_equal(record.refused, "d");
    assert_true(record_roll_back(&record, 1));
    assert_string_equal(record.serving.hash, "b");
    assert_false(record_roll_back(&record, 1));
}

static void two_builds_in_turn_push_no_third_one_out(void **state)
{
    (void)state;
    struct function_record record = { 0 };
    const char *const order[] = { "a", "b", "c", "b", "c", "b" };
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        serve(&record, order[i]);
    assert_string_equal(record.serving.hash, "b");
    assert_string_equal(record.previous[0].hash, "c");
    assert_string_equal(record.previous[1].hash, "a");
}

static void a_canary_is_what_is_left_first(void **state)
{
    (void)state;
    struct function_record record = { 0 };
    serve(&record, "a");
    serve(&record, "b");
    record.canary = build_of("c");
    assert_true(record_roll_back(&record, 1));
    assert_string_equal(record.serving.hash, "b");
    assert_string_equal(record.canary.hash, "");
    assert_string_equal(record.refused, "c");
}

static void functions_keep_their_numbers(void **state)
{
    (void)state;
    struct registry *registry = registry_create();
    char name[32];
    assert_int_equal(registry_find(registry, "a"), -1);
    assert_int_equal(registry_add(registry, "a"), 0);
    assert_int_equal(registry_add(registry, "b"), 1);
    assert_int_equal(registry_add(registry, "a"), 0);
    for (int i = 2; i < REGISTRY_MAX; i++) {
        snprintf(name, sizeof name, "function%d", i);
        assert_int_equal(registry_add(registry, name), i);
    }
    assert_int_equal(registry_add(registry, "one too many"), -1);
    registry_free(registry);
}

static void a_quarantine_lets_one_caller_a_second_in_when_it_is_over(void **state)
{
    (void)state;
    struct registry *registry = registry_create();
    bool probe;
    int index = registry_add(registry, "a");
    const int64_t second = 1000000, start = 1000 * second;
    assert_int_equal(registry_admit(registry, index, start, &probe), 0);
    atomic_store(&registry->entries[index].blocked_until_us, start + 10 * second);
    assert_int_equal(registry_admit(registry, index, start, &probe), 10);
    assert_int_equal(registry_admit(registry, index, start + 9 * second + 1, &probe), 1);
    assert_true(registry_blocks(registry, index));
    assert_int_equal(registry_admit(registry, index, start + 10 * second, &probe), 0);
    assert_true(probe);
    assert_int_equal(registry_admit(registry, index, start + 10 * second + 5, &probe), 1);
    assert_false(probe);
    assert_int_equal(registry_admit(registry, index, start + 11 * second, &probe), 0);
    assert_true(probe);
    registry_recovered(registry, index);
    assert_int_equal(registry_admit(registry, index, start + 11 * second + 1, &probe), 0);
    assert_false(probe);
    registry_free(registry);
}

static struct config *config_of(const char *text)
{
    char path[] = "/tmp/edge-compare-XXXXXX";
    struct config_error error;
    struct config *config = NULL;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    if (config_load(path, &config, &error) < 0)
        fail_msg("%s", error.text);
    unlink(path);
    return config;
}

static bool same_ground(const char *more)
{
    static const char base[] = "[functions.a]\nauth = \"public\"\n";
    char text[512];
    snprintf(text, sizeof text, "%s%s", base, more);
    struct config *a = config_of(base), *b = config_of(text);
    bool same = config_same_ground(a, b);
    config_free(a);
    config_free(b);
    return same;
}

static void workers_stand_on_four_sections(void **state)
{
    (void)state;
    assert_true(same_ground(""));
    assert_true(same_ground("timeout = \"3s\"\n[functions.b]\nauth = \"user\"\n"));
    assert_false(same_ground("[server]\nworkers = 3\n"));
    assert_false(same_ground("[server]\ncors_origins = [\"https://app.example.com\"]\n"));
    assert_false(same_ground("[database]\npool = 3\n"));
    assert_false(same_ground("[auth]\nclock_skew = \"1s\"\n"));
    assert_false(same_ground("[providers.openai]\ntimeout = \"1s\"\n"));
    assert_false(same_ground("[providers.mine]\nbase_url = \"https://example.com\"\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_back_through_the_last_three),
        cmocka_unit_test(two_builds_in_turn_push_no_third_one_out),
        cmocka_unit_test(a_canary_is_what_is_left_first),
        cmocka_unit_test(functions_keep_their_numbers),
        cmocka_unit_test(a_quarantine_lets_one_caller_a_second_in_when_it_is_over),
        cmocka_unit_test(workers_stand_on_four_sections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
