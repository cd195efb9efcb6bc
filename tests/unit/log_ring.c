/*
 * The log's ring: lines of several processes come out whole and in each one's order, however slow the reader
 * is.
 */
#include <log_ring.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    WRITERS = 4,
    LINES = 30000
};

/* A line of a length that its number decides, all of one letter behind the head. */
static size_t compose(char line[4096], int writer, int number)
{
    size_t length = 30 + (size_t)(number * 37 % 1500) + (number % 1000 == 0 ? 2500 : 0);
    int head = snprintf(line, 4096, "%d %d %zu ", writer, number, length);
    memset(line + head, 'a' + number % 26, length - (size_t)head - 1);
    line[length - 1] = '\n';
    return length;
}

static void check(const char *line, int last[WRITERS])
{
    char wanted[4096];
    int writer, number;
    assert_int_equal(sscanf(line, "%d %d ", &writer, &number), 2);
    size_t length = compose(wanted, writer, number);
    assert_int_equal(strlen(line), length - 1);
    assert_memory_equal(line, wanted, length - 1);
    assert_true(number > last[writer]);
    last[writer] = number;
}

static void write_all(int writer)
{
    char line[4096];
    for (int i = 1; i <= LINES; i++)
        log_ring_put(line, compose(line, writer, i));
}

static int read_all(struct log_ring_reader *reader, int last[WRITERS])
{
    char line[4097];
    int count = 0;
    for (; log_ring_next(reader, line); count++)
        check(line, last);
    return count;
}

static void test_without_ring(void **state)
{
    (void)state;
    log_ring_put("nothing\n", 8);
    assert_int_equal(log_ring_fd(), -1);
}

static void test_one_after_the_other(void **state)
{
    (void)state;
    int last[WRITERS] = { 0 };
    struct log_ring_reader reader;
    assert_true(log_ring_open() >= 0);
    assert_int_equal(log_ring_attach(log_ring_fd(), &reader), 0);
    for (int i = 1; i <= LINES; i++) {
        char line[4097], copy[4096];
        log_ring_put(copy, compose(copy, 0, i));
        assert_true(log_ring_next(&reader, line));
        check(line, last);
        assert_false(log_ring_next(&reader, line));
    }
    assert_int_equal(reader.lost, 0);
    log_ring_detach(&reader);
}

/* Who comes late gets the newest lines, as many as there is room for, and none that is cut. */
static void test_late_reader(void **state)
{
    (void)state;
    int last[WRITERS] = { 0 };
    struct log_ring_reader reader;
    write_all(1);
    assert_int_equal(log_ring_attach(log_ring_fd(), &reader), 0);
    int count = read_all(&reader, last);
    assert_true(count > 3000 && count < LINES);
    assert_int_equal(last[1], LINES);
    log_ring_detach(&reader);
}

static void test_writers_at_once(void **state)
{
    (void)state;
    int last[WRITERS] = { 0 }, left = WRITERS, status;
    struct log_ring_reader reader;
    assert_true(log_ring_open() >= 0);
    assert_int_equal(log_ring_attach(log_ring_fd(), &reader), 0);
    for (int i = 0; i < WRITERS; i++)
        if (fork() == 0) {
            write_all(i);
            _exit(0);
        }
    while (left > 0) {
        read_all(&reader, last);
        left -= waitpid(-1, &status, WNOHANG) > 0;
    }
    /* A line that a writer was held up in is waited for, for a while. */
    int newest = 0;
    for (int tries = 0; newest == 0 && tries < 200; tries++) {
        usleep(10000);
        read_all(&reader, last);
        for (int i = 0; i < WRITERS; i++)
            newest += last[i] == LINES;
    }
    assert_true(newest >= 1);
    log_ring_detach(&reader);
}

static void test_other_file(void **state)
{
    (void)state;
    struct log_ring_reader reader;
    FILE *file = tmpfile();
    assert_true(log_ring_attach(fileno(file), &reader) < 0);
    fclose(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_ring),
        cmocka_unit_test(test_one_after_the_other),
        cmocka_unit_test(test_late_reader),
        cmocka_unit_test(test_writers_at_once),
        cmocka_unit_test(test_other_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
