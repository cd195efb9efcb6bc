/*
 * The supervisor with workers of our own: they answer one letter on the listening socket by what it asks for.
 */
#include "supervisor/supervisor.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "config/config.h"
#include "supervisor/control.h"
#include "supervisor/listen.h"
#include "supervisor/slots.h"
#include "worker/worker.h"

#define DEADLINE_S 20

static struct config config;
static struct {
    pid_t pid;
    int log_fd, ready_fd;
    char log[65536], address[LISTEN_ADDRESS_BYTES];
    size_t log_bytes;
} host;

/* --- the worker --- */

static void run_something(struct slot *slot)
{
    const char request_id[40] = "req-7";
    slot_enter(slot, 0, "spinner", "gen-1", request_id, 0);
}

static int obey(const struct worker_boot *boot, int fd, char letter)
{
    char text[16];
    switch (letter) {
    case 'p': /* who are you */
        dprintf(fd, "%s", (snprintf(text, sizeof(text), "%d", getpid()), text));
        return 0;
    case 'k': /* die while a function runs */
        run_something(boot->slot);
        return raise(SIGKILL);
    case 'h': /* spin */
        run_something(boot->slot);
        for (volatile unsigned i = 0;; i++)
            continue;
    case 'b': /* block */
        run_something(boot->slot);
        return (int)sleep(600);
    case 't': /* retire, taking a while */
        control_send(boot->control_fd, CONTROL_RETIRING);
        usleep(700000);
        exit(0);
    default:
        return 0;
    }
}

static int letters(const struct worker_boot *boot)
{
    atomic_store(&boot->slot->state, SLOT_READY);
    control_send(boot->control_fd, CONTROL_READY);
    for (;;) {
        struct pollfd fds[] = { { .fd = boot->listen_fd, .events = POLLIN },
            { .fd = boot->control_fd, .events = POLLIN } };
        poll(fds, 2, -1);
        if (fds[1].revents != 0 && control_receive(boot->control_fd) == CONTROL_DRAIN)
            return 0;

        int fd = accept(boot->listen_fd, NULL, NULL);
        char letter = 0;
        if (fd < 0)
            continue;
        if (read(fd, &letter, 1) == 1)
            obey(boot, fd, letter);
        close(fd);
    }
}

static int ready_once(const struct worker_boot *boot)
{
    control_send(boot->control_fd, CONTROL_READY);
    return 0;
}

static int deaf(const struct worker_boot *boot)
{
    signal(SIGTERM, SIG_IGN);
    control_send(boot->control_fd, CONTROL_READY);
    while (pause() < 0)
        continue;
    return 0;
}

static int refuses(const struct worker_boot *boot)
{
    (void)boot;
    return 1;
}

static int dies(const struct worker_boot *boot)
{
    (void)boot;
    return raise(SIGKILL);
}

/* --- the host around it --- */

static void tell_address(void *arg, const char *address)
{
    int fd = *(int *)arg;
    dprintf(fd, "%s\n", address);
}

static void start(int (*worker)(const struct worker_boot *), int workers)
{
    int log[2], ready[2];
    assert_int_equal(pipe(log), 0);
    assert_int_equal(pipe(ready), 0);
    host.log_bytes = 0;
    host.pid = fork();
    if (host.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(log[1], STDERR_FILENO);
        close(log[0]);
        close(ready[0]);
        const struct serve_options options = {
            .workers = workers, .worker = worker, .on_ready = tell_address, .on_ready_arg = &ready[1]
        };
        exit(serve_run(&config, &options));
    }
    close(log[1]);
    close(ready[1]);
    host.log_fd = log[0];
    host.ready_fd = ready[0];
}

static void wait_ready(void)
{
    ssize_t length = read(host.ready_fd, host.address, sizeof(host.address) - 1);
    assert_true(length > 1);
    host.address[length - 1] = '\0';
}

static int wait_exit(void)
{
    int status;
    for (int i = 0; i < DEADLINE_S * 100; i++) {
        if (waitpid(host.pid, &status, WNOHANG) == host.pid) {
            assert_true(WIFEXITED(status));
            return WEXITSTATUS(status);
        }
        usleep(10000);
    }
    kill(host.pid, SIGKILL);
    fail_msg("the supervisor does not end");
    return -1;
}

static int stop(int number)
{
    kill(host.pid, number);
    int status = wait_exit();
    close(host.log_fd);
    close(host.ready_fd);
    return status;
}

/* Reads the log until it says text; the whole log so far stays in host.log. */
static void wait_log(const char *text)
{
    time_t end = time(NULL) + DEADLINE_S;
    host.log[host.log_bytes] = '\0';
    while (strstr(host.log, text) == NULL) {
        struct pollfd readable = { .fd = host.log_fd, .events = POLLIN };
        if (time(NULL) > end)
            fail_msg("no \"%s\" in the log:\n%s", text, host.log);
        if (poll(&readable, 1, 100) != 1)
            continue;
        ssize_t length = read(host.log_fd, host.log + host.log_bytes, sizeof(host.log) - 1 - host.log_bytes);
        if (length <= 0)
            fail_msg("no \"%s\" in the log:\n%s", text, host.log);
        host.log_bytes += (size_t)length;
        host.log[host.log_bytes] = '\0';
    }
}

/* Sends a letter; returns the number answered, 0 for none. */
static int ask(char letter)
{
    struct sockaddr_in name = { .sin_family = AF_INET,
        .sin_port = htons((uint16_t)atoi(strrchr(host.address, ':') + 1)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    char answer[16] = "";
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    const struct timeval patience = { .tv_sec = letter == 'p' ? DEADLINE_S : 0, .tv_usec = 1000 };
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (connect(fd, (struct sockaddr *)&name, sizeof(name)) == 0 && write(fd, &letter, 1) == 1 &&
        read(fd, answer, sizeof(answer) - 1) < 0)
        answer[0] = '\0';
    close(fd);
    return atoi(answer);
}

static int set_up(void **state)
{
    (void)state;
    config = (struct config){ .server = { .listen = "127.0.0.1:0",
                                  .drain_timeout_ms = 200,
                                  .cpu_limit_ms = 100,
                                  .log_level = "debug",
                                  .log_format = "json" } };
    return 0;
}

/* --- the tests --- */

static void serves_and_drains(void **state)
{
    (void)state;
    start(letters, 2);
    wait_ready();
    assert_true(ask('p') > 0);
    assert_int_equal(stop(SIGTERM), 0);
    assert_int_equal(ask('p'), 0); /* the port is closed */
}

static void the_dead_are_replaced(void **state)
{
    (void)state;
    start(letters, 1);
    wait_ready();
    int before = ask('p');
    ask('k');
    int after = ask('p');
    assert_true(after > 0 && after != before);
    wait_log("\"event\":\"worker_died\"");
    wait_log("\"signal\":\"KILL\",\"exitStatus\":null,\"function\":\"spinner\",\"generation\":\"gen-1\","
             "\"requestId\":\"req-7\"");
    assert_int_equal(stop(SIGINT), 0);
}

static void the_hanging_are_killed(void **state)
{
    (void)state;
    static const char how[] = { 'h', 'b' };
    for (size_t i = 0; i < sizeof(how); i++) {
        start(letters, 1);
        wait_ready();
        int before = ask('p');
        ask(how[i]);
        int after = ask('p');
        assert_true(after > 0 && after != before);
        wait_log("\"event\":\"worker_hangs\"");
        wait_log("\"function\":\"spinner\",\"generation\":\"gen-1\",\"requestId\":\"req-7\",\"cpuMs\":");
        assert_int_equal(stop(SIGTERM), 0);
    }
}

static void one_that_retires_overlaps_its_replacement(void **state)
{
    (void)state;
    config.server.drain_timeout_ms = 5000;
    start(letters, 1);
    wait_ready();
    int before = ask('p');
    ask('t');
    int after = ask('p'); /* answered while the other still sleeps */
    assert_true(after > 0 && after != before);
    assert_int_equal(kill(before, 0), 0);
    assert_int_equal(stop(SIGTERM), 0);
    assert_int_equal(kill(before, 0), -1);
}

static void a_start_that_fails_ends_it(void **state)
{
    (void)state;
    start(refuses, 2);
    wait_log("\"event\":\"start_failed\"");
    assert_int_equal(wait_exit(), 1);
    start(dies, 1);
    wait_log("\"event\":\"start_failed\"");
    wait_log("\"event\":\"worker_restart_delayed\"");
    assert_int_equal(wait_exit(), 1);
}

static void young_deaths_are_slowed_down(void **state)
{
    (void)state;
    start(ready_once, 1);
    wait_ready();
    wait_log("\"delayMs\":100,\"deathsInARow\":2");
    wait_log("\"delayMs\":400,\"deathsInARow\":4");
    assert_int_equal(stop(SIGTERM), 0);
}

static void a_drain_ends(void **state)
{
    (void)state;
    start(deaf, 2);
    wait_ready();
    kill(host.pid, SIGTERM);
    wait_log("\"event\":\"worker_drain_timeout\"");
    assert_int_equal(wait_exit(), 0);
}

static void a_second_interrupt_stops_at_once(void **state)
{
    (void)state;
    config.server.drain_timeout_ms = 60000;
    start(deaf, 2);
    wait_ready();
    kill(host.pid, SIGINT);
    wait_log("\"event\":\"stopping\"");
    usleep(100000);
    kill(host.pid, SIGINT); /* the same Ctrl-C, forwarded by a wrapper */
    usleep(400000);
    assert_int_equal(waitpid(host.pid, NULL, WNOHANG), 0);
    kill(host.pid, SIGINT);
    assert_int_equal(wait_exit(), 1);
}

static void workers_die_with_it(void **state)
{
    (void)state;
    start(letters, 1);
    wait_ready();
    int worker = ask('p');
    kill(host.pid, SIGKILL);
    waitpid(host.pid, NULL, 0);
    for (int i = 0; i < 500 && kill(worker, 0) == 0; i++)
        usleep(10000);
    /* Gone, or a zombie where nobody reaps orphans: in both cases the port is free. */
    struct listener listener;
    struct listen_error error;
    for (int i = 0; i < 500 && listen_open(host.address, &listener, &error) < 0; i++)
        usleep(10000);
    assert_string_equal(listener.address, host.address);
    listen_close(&listener);
}

static void a_taken_address_is_explained(void **state)
{
    (void)state;
    struct listener listener;
    struct listen_error error;
    assert_int_equal(listen_open("127.0.0.1:0", &listener, &error), 0);
    config.server.listen = listener.address;
    start(letters, 1);
    wait_log("edge: cannot listen on \"127.0.0.1:");
    assert_int_equal(wait_exit(), 1);
    listen_close(&listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(serves_and_drains, set_up),
        cmocka_unit_test_setup(the_dead_are_replaced, set_up),
        cmocka_unit_test_setup(the_hanging_are_killed, set_up),
        cmocka_unit_test_setup(one_that_retires_overlaps_its_replacement, set_up),
        cmocka_unit_test_setup(a_start_that_fails_ends_it, set_up),
        cmocka_unit_test_setup(young_deaths_are_slowed_down, set_up),
        cmocka_unit_test_setup(a_drain_ends, set_up),
        cmocka_unit_test_setup(a_second_interrupt_stops_at_once, set_up),
        cmocka_unit_test_setup(workers_die_with_it, set_up),
        cmocka_unit_test_setup(a_taken_address_is_explained, set_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
