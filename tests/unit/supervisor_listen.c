/*
 * The listening socket: forms of addresses, free ports, Unix sockets, and what a failure says.
 */
#include "supervisor/listen.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static void a_free_port_is_named(void **state)
{
    (void)state;
    struct listener listener;
    struct listen_error error;
    assert_int_equal(listen_open("127.0.0.1:0", &listener, &error), 0);
    assert_int_equal(strncmp(listener.address, "127.0.0.1:", 10), 0);
    assert_true(atoi(listener.address + 10) > 0);
    listen_close(&listener);
    listen_close(&listener);
}

static void every_interface_and_v6(void **state)
{
    (void)state;
    struct listener listener;
    struct listen_error error;
    assert_int_equal(listen_open(":0", &listener, &error), 0);
    listen_close(&listener);

    int status = listen_open("[::1]:0", &listener, &error);
    if (status == 0) {
        assert_int_equal(strncmp(listener.address, "[::1]:", 6), 0);
        listen_close(&listener);
    } else { /* a machine without IPv6 */
        assert_true(status == -EAFNOSUPPORT || status == -EADDRNOTAVAIL);
    }
}

static void a_taken_port_says_what_to_do(void **state)
{
    (void)state;
    struct listener first, second;
    struct listen_error error;
    assert_int_equal(listen_open("127.0.0.1:0", &first, &error), 0);
    assert_int_equal(listen_open(first.address, &second, &error), -EADDRINUSE);
    assert_non_null(strstr(error.text, first.address));
    assert_non_null(strstr(error.text, "--listen"));
    listen_close(&first);
}

static void what_is_no_address_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = { "", "8000", "127.0.0.1", "127.0.0.1:", "127.0.0.1:http", "::1:80",
        "127.0.0.1:65536", "[::1]", "unix:" };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct listener listener;
        struct listen_error error;
        assert_int_equal(listen_open(bad[i], &listener, &error), -EINVAL);
        assert_non_null(strstr(error.text, "127.0.0.1:8000"));
    }
}

static void a_unix_socket_replaces_a_stale_one_only(void **state)
{
    (void)state;
    char directory[] = "/tmp/edge-listen-XXXXXX", address[64];
    struct listener listener, other;
    struct listen_error error;
    struct stat info;
    assert_non_null(mkdtemp(directory));
    snprintf(address, sizeof(address), "unix:%s/s", directory);

    assert_int_equal(listen_open(address, &listener, &error), 0);
    assert_int_equal(listen_open(address, &other, &error), -EADDRINUSE);
    close(listener.fd); /* as a killed process leaves it */
    assert_int_equal(listen_open(address, &listener, &error), 0);
    assert_string_equal(listener.address, address);
    listen_close(&listener);
    assert_int_equal(stat(address + 5, &info), -1);
    assert_int_equal(rmdir(directory), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_free_port_is_named),
        cmocka_unit_test(every_interface_and_v6),
        cmocka_unit_test(a_taken_port_says_what_to_do),
        cmocka_unit_test(what_is_no_address_is_refused),
        cmocka_unit_test(a_unix_socket_replaces_a_stale_one_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
