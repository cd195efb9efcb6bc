/*
 * What may be sent at a time: the cap with its queue, the circuit breaker, look-ups of a host.
 */
#include "http_tries.h"

static int at_once, at_once_max;

static void answer_late(struct peer *peer)
{
    at_once--;
    peer_answer(peer, "200 OK", "text/plain", "late");
}

static void serve_late(struct peer *peer, const struct peer_request *request)
{
    (void)request;
    at_once++;
    if (at_once > at_once_max)
        at_once_max = at_once;
    peer_later(peer, 10, answer_late);
}

static void test_cap_and_queue(void **state)
{
    (void)state;
    at_once = at_once_max = 0;
    start_client((struct provider_settings){ .max_concurrency = 3 }, serve_late);
    TRIES(20, .path = "/");
    assert_int_equal(seen.ok, 20);
    assert_int_equal(at_once_max, 3);
    assert_int_equal(provider.accepted, 3);

    /* Those for whom there is no time left are told so, and the queue goes on without them. */
    TRIES(20, .path = "/", .timeout_ms = 35);
    assert_in_range(seen.ok, 1, 12);
    assert_int_equal(seen.ok + seen.timed_out, 20);
    assert_in_range(seen.in_queue, 1, seen.timed_out);
    TRIES(6, .path = "/");
    assert_int_equal(seen.ok, 6);
    stop_client();
}

static void serve_failure(struct peer *peer, const struct peer_request *request)
{
    (void)request;
    peer_answer(peer, provider.requests <= 10 ? "500 Oops" : "200 OK", "text/plain", "");
}

static void test_breaker(void **state)
{
    (void)state;
    start_client((struct provider_settings){ .max_concurrency = 1 }, serve_failure);
    for (int i = 0; i < 9; i++)
        TRY(.path = "/");
    TRIES(8, .path = "/"); /* the first of them opens it, those behind it in the queue are refused */
    assert_int_equal(seen.refused, 7);
    assert_int_equal(provider.requests, 10);
    TRY(.path = "/");
    assert_int_equal(seen.failure, EDGE_HTTP_BREAKER_OPEN);
    assert_in_range(seen.retry_after_seconds, 4, 5);

    asked = &(const edge_fetch_options){ .path = "/" };
    run(fetch_asked);
    assert_int_equal(outcome.status, 502);
    assert_string_equal(outcome.code, "provider_unreachable");
    assert_in_range(outcome.retry_after_seconds, 4, 5);

    struct http_provider_stats stats;
    http_get_provider_stats(&stats, 1);
    assert_true(stats.breaker_open);
    assert_int_equal(stats.breaker_opened, 1);

    turn_loop(5050);
    TRY(.path = "/");
    assert_int_equal(seen.status, 200);
    http_get_provider_stats(&stats, 1);
    assert_false(stats.breaker_open);
    stop_client();
}

static void test_breaker_counts_transport_errors(void **state)
{
    (void)state;
    static const char *const broken[16] = { NULL };
    start_script(0, broken);
    for (int i = 0; i < 10; i++)
        TRY(.method = "POST", .path = "/");
    assert_int_equal(provider.requests, 10);
    TRY(.method = "POST", .path = "/");
    assert_int_equal(seen.failure, EDGE_HTTP_BREAKER_OPEN);
    stop_client();

    static const char *const limited[] = { "429 a", "429 a", "429 a", "429 a", "404 a", "404 a", "404 a",
        "429 a", "429 a", "429 a", "429 a", "404 a" };
    start_script(0, limited);
    for (int i = 0; i < 12; i++)
        TRY(.path = "/");
    assert_int_equal(provider.requests, 12);
    stop_client();
}

static void answer_after_all(struct peer *peer)
{
    peer_answer(peer, "200 OK", "text/plain", "");
}

static void serve_too_late(struct peer *peer, const struct peer_request *request)
{
    (void)request;
    peer_later(peer, 3000, answer_after_all);
}

static void sleep_and_fetch(edge_ctx *ctx)
{
    edge_sleep(ctx, 180);
    edge_fetch(ctx, "peer", .path = "/");
}

static void cancel_running(struct ev_loop *loop, ev_timer *timer, int events)
{
    (void)loop, (void)events;
    context_client_gone(timer->data);
}

static void run_and_leave(void)
{
    memset(&outcome, 0, sizeof outcome);
    running_body = fetch_asked;
    edge_ctx *ctx = begin_invocation(1 << 20, 60000);
    ev_timer leave;
    ev_timer_init(&leave, cancel_running, 0.1, 0);
    leave.data = ctx;
    ev_timer_start(fiber_loop(), &leave);
    context_run(ctx);
    run_loop();
}

static bool breaker_is_open(void)
{
    struct http_provider_stats stats;
    http_get_provider_stats(&stats, 1);
    return stats.breaker_open;
}

/* Calls that the invocation's own deadline takes with it say of a silent provider what a limit of theirs would.
 */
static void test_breaker_counts_deadlines(void **state)
{
    (void)state;
    asked = &(const edge_fetch_options){ .path = "/" };
    start_client((struct provider_settings){ 0 }, serve_too_late);
    for (int i = 0; i < 12; i++)
        run_and_leave();
    assert_int_equal(outcome.status, 499);
    assert_false(breaker_is_open()); /* a client that leaves says nothing */

    run_with(sleep_and_fetch, 12, 1 << 20, 220);
    assert_int_equal(outcome.status, 504);
    assert_false(breaker_is_open()); /* nor a call that had no time to be answered */

    run_with(fetch_asked, 9, 1 << 20, 200);
    assert_int_equal(outcome.status, 504);
    assert_false(breaker_is_open());
    run_with(fetch_asked, 1, 1 << 20, 200);
    assert_true(breaker_is_open());
    turn_loop(20);
    stop_client();
}

/* With a name for a host, a burst of calls must not become a burst of look-ups; it works all the same. */
static void test_burst_to_a_name(void **state)
{
    (void)state;
    char base[64];
    snprintf(base, sizeof base, "http://localhost:%d", provider.port);
    start_client((struct provider_settings){ .base_url = base }, serve_late);
    TRIES(100, .path = "/");
    assert_int_equal(seen.ok, 100);
    TRIES(100, .path = "/");
    assert_int_equal(seen.ok, 100);
    stop_client();

    start_client((struct provider_settings){ .base_url = "http://nowhere.invalid" }, serve_late);
    TRIES(50, .path = "/");
    assert_int_equal(seen.ok, 0);
    assert_in_range(seen.refused, 30, 40);
    stop_client();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cap_and_queue),
        cmocka_unit_test(test_breaker),
        cmocka_unit_test(test_breaker_counts_transport_errors),
        cmocka_unit_test(test_breaker_counts_deadlines),
        cmocka_unit_test(test_burst_to_a_name),
    };
    return cmocka_run_group_tests(tests, start_peer, stop_peer);
}
