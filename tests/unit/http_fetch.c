/*
 * Answers that are taken whole: what comes back, and what it means for the invocation.
 */
#include "http_tries.h"

static void test_json_answer(void **state)
{
    (void)state;
    start_client((struct provider_settings){ 0 }, serve_json);
    TRY(.path = "/v1/things?q=1");
    assert_int_equal(outcome.status, 0);
    assert_int_equal(seen.failure, EDGE_HTTP_OK);
    assert_int_equal(seen.status, 200);
    assert_string_equal(seen.body, "{\"ok\":true}");
    assert_true(seen.json);
    assert_string_equal(seen.mark, "one");
    assert_int_equal(outcome.usage.fetch_count, 1);
    assert_true(outcome.usage.http_us > 0);
    assert_non_null(strstr(provider.last_head, "GET /v1/things?q=1 HTTP/1.1\r\n"));
    assert_non_null(strstr(provider.last_head, "\r\nUser-Agent: pulse-edge/"));
    assert_non_null(strstr(provider.last_head, "\r\nAccept-Encoding: gzip, deflate\r\n"));
    assert_null(strcasestr(provider.last_head, "\r\nAuthorization"));
    stop_client();
}

static const char *next_status;

static void serve_status(struct peer *peer, const struct peer_request *request)
{
    (void)request;
    peer_answer(peer, next_status, "application/json", "{\"error\":\"their own words\"}");
}

static void test_statuses(void **state)
{
    (void)state;
    static const struct {
        const char *status;
        int ours;
        const char *code, *says;
    } cases[] = {
        { "400 Bad Request", 422, "provider_rejected", "peer" },
        { "413 Too Large", 422, "provider_rejected", "peer" },
        { "422 Unprocessable", 422, "provider_rejected", "peer" },
        { "401 Unauthorized", 502, "provider_error", "401" },
        { "404 Not Found", 502, "provider_error", "404" },
        { "302 Found\r\nLocation: /elsewhere", 502, "provider_error", "302" },
        { "500 Oops", 502, "provider_error", "500" },
        { "503 Later", 502, "provider_error", "503" },
        { "402 Pay", 402, "out_of_credits", "credits" },
        { "429 Slow down\r\nRetry-After: 17", 429, "provider_rate_limited", "Rate limit" },
        { "429 Slow down", 429, "provider_rate_limited", "429" },
    };
    start_client((struct provider_settings){ 0 }, serve_status);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        next_status = cases[i].status;
        FETCH(.path = "/x?key=hidden");
        assert_int_equal(outcome.status, cases[i].ours);
        assert_string_equal(outcome.code, cases[i].code);
        assert_non_null(strstr(outcome.message, cases[i].says));
        assert_null(strstr(outcome.message, "their own words"));
        assert_non_null(strstr(outcome.detail, "their own words"));
        assert_null(strstr(outcome.detail, "hidden"));
        assert_int_equal(outcome.retry_after_seconds, i == 9 ? 17 : 0);
        TRY(.path = "/x");
        assert_int_equal(outcome.status, 0);
        assert_true(seen.json);
    }
    assert_int_equal(provider.accepted, 1);
    stop_client();
}

static void serve_not_json(struct peer *peer, const struct peer_request *request)
{
    (void)request;
    if (peer->count == 3)
        peer_send(peer, "HTTP/1.1 204 No Content\r\nContent-Type: application/json\r\n\r\n");
    else
        peer_answer(peer, "200 OK", peer->count == 1 ? "application/problem+json" : "application/json",
            peer->count == 1 ? "{\"a\":" : "");
}

static void test_json_announced_and_not_sent(void **state)
{
    (void)state;
    start_client((struct provider_settings){ 0 }, serve_not_json);
    for (int i = 0; i < 2; i++) {
        FETCH(.path = "/");
        assert_int_equal(outcome.status, 502);
        assert_string_equal(outcome.code, "provider_bad_response");
    }
    FETCH(.path = "/");
    assert_int_equal(outcome.status, 0);
    assert_int_equal(seen.status, 204);
    TRY(.path = "/");
    assert_false(seen.json);
    stop_client();
}

static void serve_pieces(struct peer *peer)
{
    static const char *const pieces[] = { "HTTP/1.1 200 OK\r\nTransfer-Enc",
        "oding: chunked\r\nX-Mark: head\r\n\r\n5\r\nHel", "lo\r\n1", "\r\n,\r\n6\r\n world\r\n0\r",
        "\nX-Mark: trailer\r\n\r\n", NULL };
    if (pieces[peer->step] == NULL)
        return;
    peer_send(peer, pieces[peer->step++]);
    peer_later(peer, 2, serve_pieces);
}

static void serve_chunked(struct peer *peer, const struct peer_request *request)
{
    (void)request;
    peer->step = 0;
    peer_send(peer, "HTTP/1.1 103 Early Hints\r\nX-Mark: early\r\n\r\n");
    serve_pieces(peer);
}

static void test_chunked_answer(void **state)
{
    (void)state;
    start_client((struct provider_settings){ 0 }, serve_chunked);
    for (int i = 0; i < 2; i++) {
        TRY(.path = "/");
        assert_string_equal(seen.body, "Hello, world");
        assert_int_equal(seen.status, 200);
        assert_string_equal(seen.mark, "head");
    }
    assert_int_equal(provider.accepted, 1);
    stop_client();
}

/* 2,000 times "pulse ", in zlib's framing, which "deflate" means (RFC 9110 8.4.1.2). */
static void serve_deflated(struct peer *peer)
{
    static const unsigned char packed[] = { 0x78, 0xda, 0xed, 0xc4, 0x21, 0x0d, 0x00, 0x00, 0x08, 0x00, 0xb0,
        0x2a, 0x94, 0xc3, 0x21, 0xd8, 0x18, 0xfd, 0x89, 0x81, 0xf9, 0xc5, 0x7b, 0x6b, 0x32, 0xda, 0xb6, 0x6d,
        0xdb, 0xb6, 0x6d, 0xdb, 0xb6, 0x6d, 0xdb, 0xb6, 0x6d, 0xdb, 0xb6, 0x6d, 0xdb, 0xb6, 0xed, 0xd7, 0x0f,
        0x10, 0x6b, 0xdb, 0x50 };
    char head[128];
    int length = snprintf(head, sizeof head,
        "HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\nContent-Length: %zu\r\n\r\n", sizeof packed);
    peer_send_some(peer, head, (size_t)length);
    peer_send_some(peer, packed, sizeof packed);
}

/* The same in gzip's. */
static void serve_packed(struct peer *peer, const struct peer_request *request)
{
    if (strstr(request->head, "/deflate") != NULL) {
        serve_deflated(peer);
        return;
    }
    static const unsigned char packed[] = { 0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xed,
        0xc4, 0x21, 0x0d, 0x00, 0x00, 0x08, 0x00, 0xb0, 0x2a, 0x94, 0xc3, 0x21, 0xd8, 0x18, 0xfd, 0x89, 0x81,
        0xf9, 0xc5, 0x7b, 0x6b, 0x32, 0xda, 0xb6, 0x6d, 0xdb, 0xb6, 0x6d, 0xdb, 0xb6, 0x6d, 0xdb, 0xb6, 0x6d,
        0xdb, 0xb6, 0x6d, 0xdb, 0xb6, 0xed, 0xd7, 0x0f, 0x69, 0x96, 0xba, 0xea, 0xe0, 0x2e, 0x00, 0x00 };
    char head[128];
    int length = snprintf(head, sizeof head,
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n", sizeof packed);
    peer_send_some(peer, head, (size_t)length);
    peer_send_some(peer, packed, sizeof packed);
}

static void test_compressed_answer(void **state)
{
    (void)state;
    start_client((struct provider_settings){ 0 }, serve_packed);
    for (int i = 0; i < 2; i++) {
        TRY(.path = i == 0 ? "/" : "/deflate");
        assert_int_equal(seen.length, 12000);
        assert_memory_equal(seen.body, "pulse pulse ", 12);
    }
    TRY(.path = "/", .max_bytes = 11999); /* the cap is on what it becomes */
    assert_int_equal(seen.failure, EDGE_HTTP_TOO_LARGE);
    stop_client();
}

static void serve_truncated(struct peer *peer, const struct peer_request *request)
{
    if (strstr(request->head, "/length") != NULL)
        peer_send(peer, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
    else if (strstr(request->head, "/chunked") != NULL)
        peer_send(peer, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
    else if (strstr(request->head, "/head") != NULL)
        peer_send(peer, "HTTP/1.1 200 OK\r\nContent-Le");
    else
        peer_send(peer, "this is no HTTP at all\r\n\r\n");
    peer_close(peer);
}

static void test_broken_answers(void **state)
{
    (void)state;
    start_client((struct provider_settings){ 0 }, serve_truncated);
    static const char *const paths[] = { "/length", "/chunked", "/head", "/garbage", NULL };
    for (const char *const *path = paths; *path != NULL; path++) {
        TRY(.method = "POST", .path = *path);
        assert_int_equal(seen.failure, EDGE_HTTP_UNREACHABLE);
        assert_string_equal(seen.body, "");
        assert_string_not_equal(seen.message, "");
        FETCH(.method = "POST", .path = *path);
        assert_int_equal(outcome.status, 502);
        assert_string_equal(outcome.code, "provider_unreachable");
    }
    stop_client();
}

static size_t header_bytes;

static void serve_large_head(struct peer *peer, const struct peer_request *request)
{
    char *line = malloc(header_bytes + 1);
    memset(line, 'h', header_bytes);
    line[header_bytes] = '\0';
    peer_send(peer, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n");
    size_t pieces = strstr(request->head, "/many") != NULL ? 64 : 1;
    line[header_bytes / pieces] = '\0';
    for (size_t i = 0; i < pieces; i++) {
        peer_send(peer, "X-Large: ");
        peer_send(peer, line);
        peer_send(peer, "\r\n");
    }
    peer_send(peer, "\r\n");
    free(line);
}

static void test_large_heads(void **state)
{
    (void)state;
    start_client((struct provider_settings){ 0 }, serve_large_head);
    header_bytes = 40000;
    TRY(.path = "/one");
    assert_int_equal(seen.failure, EDGE_HTTP_OK);
    static const size_t too_large[] = { 70000, 200000 };
    for (size_t i = 0; i < 2; i++) {
        header_bytes = too_large[i];
        TRY(.path = "/one");
        assert_int_equal(seen.failure, EDGE_HTTP_TOO_LARGE);
        TRY(.path = "/many");
        assert_int_equal(seen.failure, EDGE_HTTP_TOO_LARGE);
    }
    stop_client();
}

static size_t body_bytes;
static bool body_announced;

static void send_large(struct peer *peer)
{
    static char block[65536];
    memset(block, 'b', sizeof block);
    while (peer->step < body_bytes) {
        size_t rest = body_bytes - peer->step;
        ssize_t sent = peer_send_some(peer, block, rest < sizeof block ? rest : sizeof block);
        if (sent < 0) {
            if (errno == EAGAIN)
                peer_later(peer, 1, send_large);
            return;
        }
        peer->step += (size_t)sent;
    }
    peer_close(peer);
}

static void serve_large_body(struct peer *peer, const struct peer_request *request)
{
    (void)request;
    char head[96];
    snprintf(
        head, sizeof head, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n", body_bytes);
    peer_send(peer, body_announced ? head : "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    peer->step = 0;
    send_large(peer);
}

static void test_large_bodies(void **state)
{
    (void)state;
    start_client((struct provider_settings){ 0 }, serve_large_body);
    for (int announced = 0; announced < 2; announced++) {
        body_announced = announced;
        static const size_t sizes[] = { 1, 4095, 4096, 4097, 100000, 1000000 };
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            body_bytes = sizes[i];
            TRY(.path = "/", .max_bytes = sizes[i]);
            assert_int_equal(seen.failure, EDGE_HTTP_OK);
            assert_int_equal(seen.length, sizes[i]);
            TRY(.path = "/", .max_bytes = sizes[i] - 1 > 0 ? sizes[i] - 1 : 1, .retries = -1);
            assert_int_equal(seen.failure, sizes[i] == 1 ? EDGE_HTTP_OK : EDGE_HTTP_TOO_LARGE);
        }
        FETCH(.path = "/", .max_bytes = 1000);
        assert_int_equal(outcome.status, 502);
        assert_string_equal(outcome.code, "provider_bad_response");
    }

    /* More than the function's memory: its own limit, not the provider's fault. */
    asked = &(const edge_fetch_options){ .path = "/" };
    run_with(try_asked, 1, 256 * 1024, 0);
    assert_int_equal(outcome.status, 500);
    assert_string_equal(outcome.code, "memory_limit");
    stop_client();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_answer),
        cmocka_unit_test(test_statuses),
        cmocka_unit_test(test_json_announced_and_not_sent),
        cmocka_unit_test(test_chunked_answer),
        cmocka_unit_test(test_compressed_answer),
        cmocka_unit_test(test_broken_answers),
        cmocka_unit_test(test_large_heads),
        cmocka_unit_test(test_large_bodies),
    };
    return cmocka_run_group_tests(tests, start_peer, stop_peer);
}
