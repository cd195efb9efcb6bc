/*
 * How log lines leave the process: whole, in order, and never waiting for a reader.
 */
#include <log.h>

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char everything[4 << 20];
static size_t read_bytes;

static void drain(int fd)
{
    assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
    ssize_t length;
    while ((length = read(fd, everything + read_bytes, sizeof(everything) - 1 - read_bytes)) > 0)
        read_bytes += (size_t)length;
    everything[read_bytes] = '\0';
}

static void log_many(int first, int count)
{
    char filler[200];
    memset(filler, 'x', sizeof(filler) - 1);
    filler[sizeof(filler) - 1] = '\0';
    for (int i = first; i < first + count; i++)
        edge_log(NULL, EDGE_LOG_INFO, "many", { "n", edge_int(i) }, { "filler", edge_text(filler) });
}

/* Every line is whole JSON; numbers rise. Returns how many "many" lines there are and adds up what was dropped.
 */
static int count_lines(int64_t *dropped)
{
    int lines = 0;
    int64_t last = -1;
    for (char *at = everything, *end; *at != '\0'; at = end + 1) {
        end = strchr(at, '\n');
        assert_non_null(end);
        *end = '\0';
        json_t *line = json_loads(at, 0, NULL);
        assert_non_null(line);
        if (strcmp(json_string_value(json_object_get(line, "event")), "log_lines_dropped") == 0) {
            *dropped += json_integer_value(json_object_get(line, "lines"));
        } else {
            assert_true(json_integer_value(json_object_get(line, "n")) > last);
            last = json_integer_value(json_object_get(line, "n"));
            lines++;
        }
        json_decref(line);
    }
    return lines;
}

static void reader_that_stops(int read_fd, int write_fd)
{
    int64_t dropped = 0;
    read_bytes = 0;
    log_open(write_fd, LOG_JSON, EDGE_LOG_DEBUG);
    log_many(0, 10000); /* far more than the pipe and the buffer hold: returns all the same */
    drain(read_fd);
    log_many(10000, 10);
    log_flush();
    drain(read_fd);
    log_flush();
    drain(read_fd);

    int lines = count_lines(&dropped);
    assert_true(dropped > 0);
    assert_int_equal(lines + dropped, 10010);
}

static void a_full_pipe_does_not_block(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    reader_that_stops(ends[0], ends[1]);
    assert_int_equal(fcntl(ends[1], F_GETFL) & O_NONBLOCK, 0); /* the writer's own file is left as it was */
    close(ends[0]);
    log_many(0, 1); /* nobody reads: no SIGPIPE, no crash */
    log_flush();
    close(ends[1]);
}

static void a_full_socket_does_not_block(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    reader_that_stops(ends[0], ends[1]);
    close(ends[0]);
    log_many(0, 1);
    log_flush();
    close(ends[1]);
}

static void a_full_disk_does_not_harm(void **state)
{
    (void)state;
    int fd = open("/dev/full", O_WRONLY);
    assert_true(fd >= 0);
    log_open(fd, LOG_JSON, EDGE_LOG_DEBUG);
    log_many(0, 1000);
    log_flush();
    close(fd);
}

static void lines_wait_for_the_turn_but_warnings_do_not(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    read_bytes = 0;
    log_open(ends[1], LOG_JSON, EDGE_LOG_DEBUG);
    edge_log(NULL, EDGE_LOG_INFO, "calm");
    drain(ends[0]);
    size_t before = read_bytes;
    edge_log(NULL, EDGE_LOG_WARN, "urgent");
    drain(ends[0]);
    assert_int_equal(before, 0);
    assert_non_null(strstr(everything, "\"calm\""));
    assert_non_null(strstr(everything, "\"urgent\""));
    close(ends[0]);
    close(ends[1]);
}

/* The descriptor outlives the test: what a closed one leaves in the buffer must not reach the next. */
static int to_null(void **state)
{
    (void)state;
    int fd = open("/dev/null", O_WRONLY);
    log_open(fd, LOG_JSON, EDGE_LOG_ERROR);
    log_flush();
    return 0;
}

static int pipe_for_log(int ends[2])
{
    read_bytes = 0;
    assert_int_equal(pipe(ends), 0);
    log_open(ends[1], LOG_JSON, EDGE_LOG_DEBUG);
    return ends[0];
}

/* Logs lines in a child that then ends as if killed; what it has not written is in the buffer. */
static void die_with_lines(struct log_buffer *buffer, int first, int count)
{
    pid_t child = fork();
    if (child == 0) {
        log_buffer_use(buffer);
        log_many(first, count);
        raise(SIGKILL);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WTERMSIG(status), SIGKILL);
}

static void what_a_killed_process_leaves_is_written_once(void **state)
{
    (void)state;
    int ends[2], reader = pipe_for_log(ends);
    struct log_buffer *buffer = log_buffer_create();
    assert_non_null(buffer);
    log_many(0, 1); /* waits here, and must not be written by the child as well */
    die_with_lines(buffer, 1, 20);
    log_buffer_rescue(buffer);
    log_buffer_rescue(buffer);
    die_with_lines(buffer, 21, 1); /* the next one in its place */
    log_buffer_rescue(buffer);
    drain(reader);
    int64_t dropped = 0;
    assert_int_equal(count_lines(&dropped), 22);
    assert_int_equal(dropped, 0);
    log_buffer_free(buffer);
    close(ends[0]);
    close(ends[1]);
}

static void a_damaged_buffer_harms_nobody(void **state)
{
    (void)state;
    int ends[2], reader = pipe_for_log(ends);
    struct log_buffer *buffer = log_buffer_create();
    memset(buffer, 0xff, 4096); /* the count of bytes is at its beginning */
    log_buffer_rescue(buffer);
    log_many(0, 1);
    log_flush();
    drain(reader);
    int64_t dropped = 0;
    assert_int_equal(count_lines(&dropped), 1);
    log_buffer_free(buffer);
    close(ends[0]);
    close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_full_pipe_does_not_block, to_null),
        cmocka_unit_test_teardown(a_full_socket_does_not_block, to_null),
        cmocka_unit_test_teardown(a_full_disk_does_not_harm, to_null),
        cmocka_unit_test_teardown(lines_wait_for_the_turn_but_warnings_do_not, to_null),
        cmocka_unit_test_teardown(what_a_killed_process_leaves_is_written_once, to_null),
        cmocka_unit_test_teardown(a_damaged_buffer_harms_nobody, to_null),
    };
    signal(SIGPIPE, SIG_IGN); /* as the host does */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
