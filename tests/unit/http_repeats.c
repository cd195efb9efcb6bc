/*
 * Which calls are sent again, when, and how often.
 */
#include "http_tries.h"

static void test_repeats_by_setting(void **state)
{
    (void)state;
    start_script(2, (const char *const[]){ "503 Later", "429 Slow", "200 OK" });
    TRY(.path = "/");
    assert_int_equal(seen.status, 200);
    assert_int_equal(provider.requests, 3);
    assert_in_range(seen.took_ms, 100 + 200 - 2, 3000);
    stop_client();

    start_script(2, (const char *const[]){ "503 Later", "503 Later", "502 Worse", "200 OK" });
    TRY(.path = "/");
    assert_int_equal(seen.status, 502);
    assert_int_equal(provider.requests, 3);
    stop_client();

    /* Not what a repeat cannot help, not by default, not what is unsafe. */
    start_script(
        2, (const char *const[]){ "404 No", "501 No", "503 Later", "503 Later", "503 Later", "200 OK" });
    TRY(.path = "/");
    TRY(.path = "/");
    TRY(.path = "/", .retries = -1);
    TRY(.method = "POST", .path = "/");
    assert_int_equal(provider.requests, 4);
    TRY(.method = "POST", .path = "/", .idempotency_key = "k");
    assert_int_equal(provider.requests, 6);
    assert_int_equal(seen.status, 200);
    struct http_stats stats;
    http_get_stats(&stats);
    assert_int_equal(stats.retries, 1);
    assert_int_equal(stats.calls, 5);
    stop_client();
}

static void test_retry_after_is_honoured(void **state)
{
    (void)state;
    start_script(1, (const char *const[]){ "429 Slow\r\nRetry-After: 1", "200 OK" });
    TRY(.path = "/");
    assert_int_equal(seen.status, 200);
    assert_in_range(seen.took_ms, 999, 4000);
    stop_client();

    /* Not beyond the call's limit: the answer is given at once. */
    start_script(1, (const char *const[]){ "429 Slow\r\nRetry-After: 9", "200 OK" });
    TRY(.path = "/", .timeout_ms = 5000);
    assert_int_equal(seen.status, 429);
    assert_int_equal(seen.retry_after_seconds, 9);
    assert_true(seen.took_ms < 500);
    stop_client();

    /* Nor beyond the invocation's deadline. */
    start_script(1, (const char *const[]){ "503 Later\r\nRetry-After: 9", "200 OK" });
    asked = &(const edge_fetch_options){ .path = "/" };
    run_with(try_asked, 1, 1 << 20, 2000);
    assert_int_equal(seen.status, 503);
    assert_int_equal(outcome.status, 0);
    stop_client();
}

static void test_broken_connection_is_repeated_once(void **state)
{
    (void)state;
    start_script(0, (const char *const[]){ NULL, "200 OK", NULL, NULL, "200 OK" });
    TRY(.path = "/");
    assert_int_equal(seen.status, 200);
    assert_int_equal(provider.requests, 2);
    TRY(.path = "/");
    assert_int_equal(seen.failure, EDGE_HTTP_UNREACHABLE);
    assert_int_equal(provider.requests, 4);
    stop_client();

    start_script(0, (const char *const[]){ NULL, "200 OK" });
    TRY(.path = "/", .retries = EDGE_SEND_ONCE);
    assert_int_equal(seen.failure, EDGE_HTTP_UNREACHABLE);
    assert_int_equal(provider.requests, 1);
    stop_client();

    start_script(0, (const char *const[]){ NULL, NULL, "200 OK", "200 OK", NULL });
    TRY(.method = "POST", .path = "/");
    assert_int_equal(seen.failure, EDGE_HTTP_UNREACHABLE);
    assert_int_equal(provider.requests, 1);
    TRY(.method = "POST", .path = "/", .repeatable = true);
    assert_int_equal(seen.status, 200);
    assert_int_equal(provider.requests, 3);

    /* Nor does libcurl send it again by itself on a connection that had been used before. */
    TRY(.path = "/");
    TRY(.method = "POST", .path = "/");
    assert_int_equal(seen.failure, EDGE_HTTP_UNREACHABLE);
    assert_int_equal(provider.requests, 5);
    assert_string_equal(seen.message, "the connection broke before an answer came");
    stop_client();

    /* But a safe request once, and not twice. */
    start_script(0, (const char *const[]){ "200 OK", NULL, "200 OK", NULL, NULL, "200 OK" });
    TRY(.path = "/");
    TRY(.path = "/");
    assert_int_equal(seen.status, 200);
    assert_int_equal(provider.requests, 3);
    TRY(.path = "/");
    assert_int_equal(seen.failure, EDGE_HTTP_UNREACHABLE);
    assert_int_equal(provider.requests, 5);
    stop_client();
}

static void test_refused_connection_repeats_any_method(void **state)
{
    (void)state;
    int port, fd = listen_on_loopback(&port);
    close(fd);
    char base[64];
    snprintf(base, sizeof base, "http://127.0.0.1:%d", port);
    start_client((struct provider_settings){ .base_url = base, .retries = 2 }, serve_nothing);
    TRY(.method = "POST", .path = "/");
    assert_int_equal(seen.failure, EDGE_HTTP_UNREACHABLE);
    struct http_stats stats;
    http_get_stats(&stats);
    assert_int_equal(stats.retries, 2);
    assert_int_equal(stats.failures, 1);
    stop_client();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_repeats_by_setting),
        cmocka_unit_test(test_retry_after_is_honoured),
        cmocka_unit_test(test_broken_connection_is_repeated_once),
        cmocka_unit_test(test_refused_connection_repeats_any_method),
    };
    return cmocka_run_group_tests(tests, start_peer, stop_peer);
}
