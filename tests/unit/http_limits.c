/*
 * Time limits of calls, and calls that nobody waits for any more.
 */
#include "http_tries.h"

static void test_first_byte_and_total(void **state)
{
    (void)state;
    start_client((struct provider_settings){ .timeout_ms = 10000, .first_byte_timeout_ms = 80 }, serve_nothing);
    TRY(.path = "/");
    assert_int_equal(seen.failure, EDGE_HTTP_TIMEOUT);
    assert_string_equal(seen.message, "the first-byte limit of 80 ms has passed");
    assert_in_range(seen.took_ms, 79, 2000);

    TRY(.path = "/", .first_byte_timeout_ms = -1, .timeout_ms = 120);
    assert_string_equal(seen.message, "the limit of 120 ms has passed");
    assert_in_range(seen.took_ms, 119, 2000);

    asked = &(const edge_fetch_options){ .path = "/" };
    run(fetch_asked);
    assert_int_equal(outcome.status, 504);
    assert_string_equal(outcome.code, "provider_timeout");
    assert_non_null(strstr(outcome.detail, "first-byte limit"));
    turn_loop(5);
    assert_int_equal(provider.open, 0); /* each call's connection went with it */
    stop_client();
}

static void serve_head_only(struct peer *peer, const struct peer_request *request)
{
    (void)request;
    peer_send(peer, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
}

static void test_total_after_the_first_byte(void **state)
{
    (void)state;
    start_client((struct provider_settings){ .timeout_ms = 100, .first_byte_timeout_ms = 50 }, serve_head_only);
    TRY(.path = "/");
    assert_string_equal(seen.message, "the limit of 100 ms has passed");
    stop_client();
}

/* A listener whose queue is full leaves further connections without an answer. */
static void test_connect_limit(void **state)
{
    (void)state;
    int port, fd = listen_on_loopback(&port);
    assert_int_equal(listen(fd, 0), 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        .sin_port = htons((uint16_t)port),
    };
    int fillers[4];
    for (int i = 0; i < 4; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        connect(fillers[i], (struct sockaddr *)&address, sizeof address);
    }

    char base[64];
    snprintf(base, sizeof base, "http://127.0.0.1:%d", port);
    start_client((struct provider_settings){ .base_url = base, .connect_timeout_ms = 150 }, serve_nothing);
    TRY(.path = "/");
    assert_int_equal(seen.failure, EDGE_HTTP_TIMEOUT);
    assert_string_equal(seen.message, "the connect limit of 150 ms has passed");
    assert_in_range(seen.took_ms, 145, 2000);
    stop_client();
    for (int i = 0; i < 4; i++)
        close(fillers[i]);
    close(fd);
}

static void test_invocation_deadline(void **state)
{
    (void)state;
    start_client((struct provider_settings){ .max_concurrency = 1 }, serve_nothing);
    asked = &(const edge_fetch_options){ .path = "/" };
    run_with(fetch_asked, 2, 1 << 20, 80); /* one runs, one is queued */
    assert_int_equal(outcome.status, 504);
    assert_string_equal(outcome.code, "timeout");
    turn_loop(5);
    assert_int_equal(provider.requests, 1);
    assert_int_equal(provider.open, 0);
    stop_client();
}

static edge_ctx *leaving;

static void client_leaves(struct peer *peer)
{
    (void)peer;
    context_client_gone(leaving);
}

static void serve_until_client_leaves(struct peer *peer, const struct peer_request *request)
{
    (void)request;
    peer_later(peer, 10, client_leaves);
}

static void test_client_leaves(void **state)
{
    (void)state;
    start_client((struct provider_settings){ 0 }, serve_until_client_leaves);
    memset(&outcome, 0, sizeof outcome);
    asked = &(const edge_fetch_options){ .path = "/" };
    running_body = fetch_asked;
    leaving = begin_invocation(1 << 20, 0);
    context_run(leaving);
    run_loop();
    assert_int_equal(outcome.status, 499);
    turn_loop(5);
    assert_int_equal(provider.open, 0);
    struct http_provider_stats stats;
    http_get_provider_stats(&stats, 1);
    assert_int_equal(stats.total.failures, 0);
    stop_client();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_byte_and_total),
        cmocka_unit_test(test_total_after_the_first_byte),
        cmocka_unit_test(test_connect_limit),
        cmocka_unit_test(test_invocation_deadline),
        cmocka_unit_test(test_client_leaves),
    };
    return cmocka_run_group_tests(tests, start_peer, stop_peer);
}
