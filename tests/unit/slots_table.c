/*
 * Slots: handing out, counters that outlive a worker, and reading what runs from another process.
 */
#include "supervisor/slots.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static const char request_id[40] = "01JC8Z4T6Q1N0000000000000";

static void room_for_those_that_leave(void **state)
{
    (void)state;
    struct slots *slots = slots_create(2);
    assert_true(slots->count >= 6); /* two serve, two take over, two finish */
    for (int i = 0; i < slots->count; i++) {
        struct slot *slot = slot_take(slots);
        assert_non_null(slot);
        assert_int_equal(slot_index(slots, slot), i);
        assert_int_equal(atomic_load(&slot->state), SLOT_STARTING);
    }
    assert_null(slot_take(slots));
    slot_release(&slots->slots[2]);
    assert_int_equal(slot_index(slots, slot_take(slots)), 2);
    slots_free(slots);
}

static void counters_outlive_their_worker(void **state)
{
    (void)state;
    struct slots *slots = slots_create(1);
    struct slot *slot = slot_take(slots);
    counter_add(&slot_function(slot, 7)->queries, 5);
    gauge_set(&slot->totals.db_queries, 9);
    gauge_set(&slot->gauges.connections, 3);
    slot_enter(slot, 7, "computePulse", "abc", request_id, 1);
    slot_release(slot);

    assert_ptr_equal(slot_take(slots), slot);
    struct slot_snapshot snapshot;
    assert_int_equal(counter_read(&slot_function(slot, 7)->queries), 5);
    assert_int_equal(counter_read(&slot->totals.db_queries), 0);
    assert_int_equal(counter_read(&slot->totals_before.db_queries), 9);
    assert_int_equal(counter_read(&slot->gauges.connections), 0);
    assert_false(slot_read_running(slot, &snapshot));
    slots_free(slots);
}

static void beyond_the_table_is_the_host(void **state)
{
    (void)state;
    struct slots *slots = slots_create(1);
    struct slot *slot = slot_take(slots);
    assert_ptr_equal(slot_function(slot, -1), &slot->host);
    assert_ptr_equal(slot_function(slot, SLOT_FUNCTIONS_MAX), &slot->host);
    assert_ptr_equal(slot_function(slot, SLOT_FUNCTIONS_MAX - 1), &slot->functions[SLOT_FUNCTIONS_MAX - 1]);
    slots_free(slots);
}

static void what_runs_is_seen(void **state)
{
    (void)state;
    struct slots *slots = slots_create(1);
    struct slot *slot = slot_take(slots);
    struct slot_snapshot first, second;
    assert_false(slot_read_running(slot, &first));

    slot_enter(slot, 3, "computePulse", "0123456789abcdef", request_id, 42);
    assert_true(slot_read_running(slot, &first));
    assert_int_equal(first.function_index, 3);
    assert_int_equal(first.since_us, 42);
    assert_string_equal(first.function, "computePulse");
    assert_string_equal(first.generation, "0123456789abcdef");
    assert_string_equal(first.request_id, request_id);

    slot_enter(slot, -1, "_edge/ready", NULL, request_id, 43);
    assert_true(slot_read_running(slot, &second));
    assert_string_equal(second.function, "_edge/ready");
    assert_string_equal(second.generation, "");
    assert_int_not_equal(first.switches, second.switches);

    slot_leave(slot);
    slot_leave(slot);
    assert_false(slot_read_running(slot, &second));
    slots_free(slots);
}

/* A worker that switches as fast as it can: what is read is always one function's text, never a mixture. */
static void reading_while_it_switches(void **state)
{
    (void)state;
    struct slots *slots = slots_create(1);
    struct slot *slot = slot_take(slots);
    pid_t pid = fork();
    if (pid == 0) {
        char a[40] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", b[40] = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
        for (;;) {
            slot_enter(slot, 1, a, a, a, 1);
            slot_leave(slot);
            slot_enter(slot, 2, b, b, b, 2);
            slot_leave(slot);
        }
    }
    int seen = 0;
    for (time_t end = time(NULL) + 20; seen < 100000 && time(NULL) < end;) {
        struct slot_snapshot running;
        if (!slot_read_running(slot, &running) || running.function[0] == '\0')
            continue;
        seen++;
        assert_string_equal(running.function, running.request_id);
        assert_string_equal(running.function, running.generation);
        assert_int_equal(running.function_index, running.function[0] - 'a' + 1);
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    assert_true(seen > 0);
    slots_free(slots);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(room_for_those_that_leave),
        cmocka_unit_test(counters_outlive_their_worker),
        cmocka_unit_test(beyond_the_table_is_the_host),
        cmocka_unit_test(what_runs_is_seen),
        cmocka_unit_test(reading_while_it_switches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
