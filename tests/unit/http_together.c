/*
 * Several calls of one fiber at once: edge_fetch_all.
 */
#include "http_tries.h"

static int together, together_max;
static struct {
    edge_http_failure failure[4];
    int status[4];
    char body[4][64];
    bool json[4];
    int64_t took_ms;
} got;

static void keep(edge_reply **replies, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        got.failure[i] = replies[i]->failure;
        got.status[i] = replies[i]->status;
        got.json[i] = replies[i]->json != NULL;
        keep_text(got.body[i], sizeof got.body[i], replies[i]->body);
    }
}

static void answer_path(struct peer *peer)
{
    static char body[64];
    together--;
    snprintf(body, sizeof body, "{\"n\":%zu}", peer->step);
    peer_answer(peer, "200 OK", "application/json", body);
}

/* /N is answered after 200 - 50 N ms, so in the other order; /broken breaks, /500 fails. */
static void serve_by_path(struct peer *peer, const struct peer_request *request)
{
    if (strstr(request->head, " /broken") != NULL) {
        peer_reset(peer);
        return;
    }
    if (strstr(request->head, " /500") != NULL) {
        peer_answer(peer, "500 Oops", "text/plain", "oops");
        return;
    }
    together++;
    if (together > together_max)
        together_max = together;
    const char *path = strstr(request->head, " /") + 2;
    peer->step = (size_t)(*path - '0');
    peer_later(peer, 200 - 50 * (int)peer->step, answer_path);
}

static void three(edge_ctx *ctx)
{
    edge_reply *replies[3];
    int64_t started_us = clock_us();
    edge_fetch_all(ctx, replies, EDGE_CALL("peer", .path = "/0"), EDGE_CALL("peer", .path = "/1"),
        EDGE_CALL("peer", .path = "/2", .method = "POST", .body = "b", .length = 1));
    got.took_ms = (clock_us() - started_us) / 1000;
    keep(replies, 3);
}

static void test_at_once_and_in_order(void **state)
{
    (void)state;
    together = together_max = 0;
    start_client((struct provider_settings){ 0 }, serve_by_path);
    run(three);
    assert_int_equal(outcome.status, 0);
    assert_int_equal(outcome.usage.fetch_count, 3);
    assert_int_equal(together_max, 3);
    assert_string_equal(got.body[0], "{\"n\":0}");
    assert_string_equal(got.body[1], "{\"n\":1}");
    assert_string_equal(got.body[2], "{\"n\":2}");
    assert_true(got.json[0] && got.json[2]);
    assert_true(outcome.usage.http_us / 1000 <= got.took_ms); /* not the sum of the three */
    stop_client();
}

static void test_with_a_cap(void **state)
{
    (void)state;
    together = together_max = 0;
    start_client((struct provider_settings){ .max_concurrency = 1 }, serve_by_path);
    run(three);
    assert_int_equal(together_max, 1);
    assert_string_equal(got.body[2], "{\"n\":2}");
    stop_client();
}

static void with_failures(edge_ctx *ctx)
{
    edge_reply *replies[4];
    edge_fetch_all(ctx, replies, EDGE_CALL("peer", .path = "/broken", .retries = 1),
        EDGE_CALL("peer", .path = "/1"), EDGE_CALL("peer", .path = "/0", .timeout_ms = 40),
        EDGE_CALL("peer", .path = "/500"));
    keep(replies, 4);
}

static void test_failures_stay_apart(void **state)
{
    (void)state;
    start_client((struct provider_settings){ 0 }, serve_by_path);
    run(with_failures);
    assert_int_equal(outcome.status, 0);
    assert_int_equal(got.failure[0], EDGE_HTTP_UNREACHABLE);
    assert_int_equal(got.failure[1], EDGE_HTTP_OK);
    assert_string_equal(got.body[1], "{\"n\":1}");
    assert_int_equal(got.failure[2], EDGE_HTTP_TIMEOUT);
    assert_int_equal(got.status[3], 500);
    assert_int_equal(provider.requests, 6); /* the broken one at once, and once more after a wait */
    stop_client();
}

/* Those behind it in the queue are refused while the fiber is busy submitting: it must not wait for them. */
static void test_refused_in_the_queue(void **state)
{
    (void)state;
    static const char *const failing[16] = { "500 a", "500 a", "500 a", "500 a", "500 a", "500 a", "500 a",
        "500 a", "500 a", "500 a", "500 a", "500 a", "500 a", "500 a", "500 a", "500 a" };
    script = failing;
    start_client((struct provider_settings){ .max_concurrency = 1 }, serve_script);
    for (int i = 0; i < 4; i++)
        run(with_failures);
    assert_int_equal(got.failure[3], EDGE_HTTP_BREAKER_OPEN);
    assert_int_equal(outcome.status, 0);
    stop_client();
}

static void never_answered(edge_ctx *ctx)
{
    edge_reply *replies[3];
    edge_fetch_all(ctx, replies, EDGE_CALL("peer", .path = "/a"), EDGE_CALL("peer", .path = "/b"),
        EDGE_CALL("peer", .path = "/c"));
    fail();
}

static void test_deadline_takes_all(void **state)
{
    (void)state;
    start_client((struct provider_settings){ .max_concurrency = 2 }, serve_nothing);
    run_with(never_answered, 3, 1 << 20, 80);
    assert_int_equal(outcome.status, 504);
    turn_loop(20);
    assert_int_equal(provider.open, 0);
    stop_client();
}

static void unknown_provider(edge_ctx *ctx)
{
    edge_reply *replies[2];
    edge_fetch_all(ctx, replies, EDGE_CALL("peer", .path = "/0"), EDGE_CALL("nobody", .path = "/"));
    fail();
}

static void test_nothing_is_sent_after_a_mistake(void **state)
{
    (void)state;
    start_client((struct provider_settings){ 0 }, serve_by_path);
    run(unknown_provider);
    assert_int_equal(outcome.status, 500);
    turn_loop(20);
    assert_int_equal(provider.requests, 0);
    stop_client();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_at_once_and_in_order),
        cmocka_unit_test(test_with_a_cap),
        cmocka_unit_test(test_failures_stay_apart),
        cmocka_unit_test(test_refused_in_the_queue),
        cmocka_unit_test(test_deadline_takes_all),
        cmocka_unit_test(test_nothing_is_sent_after_a_mistake),
    };
    return cmocka_run_group_tests(tests, start_peer, stop_peer);
}
