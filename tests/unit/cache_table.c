/*
 * The cache's table: what it counts is what it holds, the least recently used leave first, and time ends.
 */
#include "cache/outbox.h"
#include "cache/table.h"

#include <edge/crypto.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void put(const char *key, const char *text, int64_t expires_us, bool local)
{
    struct cache_value *value = value_make(text, strlen(text), true);
    assert_non_null(value);
    table_put(key, value, expires_us, local);
    value_release(value);
}

static bool holds(const char *key, const char *text)
{
    struct cache_value *value = table_get(key, 0);
    if (value == NULL)
        return false;
    char *copy = malloc(value->length + 1);
    bool same = value_copy(value, copy) && strcmp(copy, text) == 0;
    free(copy);
    return same;
}

static int start(void **state)
{
    (void)state;
    return table_start(64 * 1024);
}

static int stop(void **state)
{
    (void)state;
    table_stop();
    return 0;
}

static void test_put_and_get(void **state)
{
    (void)state;
    put("a", "one", INT64_MAX, false);
    put("b", "two", INT64_MAX, false);
    assert_true(holds("a", "one"));
    size_t bytes = table_bytes();
    put("a", "uno", INT64_MAX, false);
    assert_true(holds("a", "uno"));
    assert_int_equal(table_bytes(), bytes);
    assert_int_equal(table_count(), 2);
    assert_null(table_get("c", 0));
    table_remove("a");
    table_remove("b");
    table_remove("b");
    assert_int_equal(table_bytes(), 0);
    assert_int_equal(table_count(), 0);
}

static void test_time(void **state)
{
    (void)state;
    put("a", "one", 1000, false);
    assert_non_null(table_get("a", 999));
    assert_null(table_get("a", 1000));
    assert_int_equal(table_count(), 0);
}

static void test_least_recently_used_leaves(void **state)
{
    (void)state;
    char key[16], text[801];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "%d", i);
        put(key, text, INT64_MAX, false);
        assert_true(table_bytes() <= table_budget());
        assert_non_null(table_get("0", 0)); /* in use all the time, so it stays */
    }
    assert_true(table_count() > 60 && table_count() < 80);
    assert_int_equal(table_evictions(), 1000 - table_count());
    assert_null(table_get("1", 0));
    assert_non_null(table_get("999", 0));
}

static void test_too_large_is_not_kept(void **state)
{
    (void)state;
    size_t length = 40 * 1024;
    char *noise = malloc(length);
    edge_random(noise, length);
    struct cache_value *value = value_make(noise, length, false);
    assert_false(value->compressed);
    table_put("a", value, INT64_MAX, false);
    assert_int_equal(table_count(), 0);
    value_release(value);

    memset(noise, 'x', length - 1);
    noise[length - 1] = '\0';
    put("a", noise, INT64_MAX, false);
    assert_true(holds("a", noise));
    assert_true(table_bytes() < 1024);
    free(noise);
}

/* A value that somebody reads outlives its entry. */
static void test_value_in_use(void **state)
{
    (void)state;
    put("a", "one", INT64_MAX, false);
    struct cache_value *value = value_hold(table_get("a", 0));
    table_remove("a");
    char copy[8];
    assert_true(value_copy(value, copy));
    assert_string_equal(copy, "one");
    value_release(value);
}

static void test_removing_many(void **state)
{
    (void)state;
    put("f:a", "1", INT64_MAX, false);
    put("f:ab", "2", INT64_MAX, true);
    put("g:a", "3", INT64_MAX, false);
    put("f:b", "4", INT64_MAX, true);
    table_remove_prefix("f:a", 3);
    assert_int_equal(table_count(), 2);
    table_remove_shared();
    assert_int_equal(table_count(), 1);
    assert_true(holds("f:b", "4"));
    table_remove_prefix("", 0);
    assert_int_equal(table_bytes(), 0);
}

/* Random work against a sum that is kept apart: entries come and go, the count stays right. */
static void test_accounting(void **state)
{
    (void)state;
    char key[16], text[3001];
    unsigned seed = 7;
    for (int i = 0; i < 20000; i++) {
        seed = seed * 1103515245u + 12345u;
        snprintf(key, sizeof key, "%u", (seed >> 16) % 200);
        size_t length = (seed >> 8) % 3000;
        memset(text, 'a' + (int)(seed % 26), length);
        text[length] = '\0';
        if (seed % 5 == 0)
            table_remove(key);
        else
            put(key, text, (int64_t)(seed % 3), false);
        assert_true(table_bytes() <= table_budget());
        if (seed % 7 == 0)
            table_get(key, 1);
    }
    for (unsigned i = 0; i < 200; i++) {
        snprintf(key, sizeof key, "%u", i);
        table_remove(key);
    }
    assert_int_equal(table_count(), 0);
    assert_int_equal(table_bytes(), 0);
}

static void test_outbox(void **state)
{
    (void)state;
    outbox_add("f:a");
    outbox_add("f:a");
    outbox_add("f:b");
    char *text = outbox_text();
    assert_string_equal(text, "[\"f:a\",\"f:b\"]");
    free(text);
    outbox_add("f:a"); /* what is under way may have been heard before */
    outbox_sent();
    text = outbox_text();
    assert_string_equal(text, "[\"f:a\"]");
    free(text);
    for (int i = 0; i < 2000; i++) {
        char payload[16];
        snprintf(payload, sizeof payload, "f:%d", i);
        outbox_add(payload);
    }
    text = outbox_text();
    assert_string_equal(text, "[\"*\"]");
    free(text);
    outbox_sent();
    assert_true(outbox_is_empty());
    outbox_clear();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_put_and_get, start, stop),
        cmocka_unit_test_setup_teardown(test_time, start, stop),
        cmocka_unit_test_setup_teardown(test_least_recently_used_leaves, start, stop),
        cmocka_unit_test_setup_teardown(test_too_large_is_not_kept, start, stop),
        cmocka_unit_test_setup_teardown(test_value_in_use, start, stop),
        cmocka_unit_test_setup_teardown(test_removing_many, start, stop),
        cmocka_unit_test_setup_teardown(test_accounting, start, stop),
        cmocka_unit_test(test_outbox),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
