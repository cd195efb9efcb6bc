/*
 * What is sent to a provider, and what is refused before anything is sent.
 */
#include "http_tries.h"

static void test_what_is_sent(void **state)
{
    (void)state;
    static const edge_header headers[] = { { "X-One", "1" }, { "Accept", "audio/mpeg" }, { "X-Empty", "" },
        { 0 } };
    start_client((struct provider_settings){ .key = "k-1" }, serve_json);

    json_t *body = json_pack("{s:s}", "name", "Vera");
    TRY(.path = "/a", .json = body, .headers = headers, .idempotency_key = "key-1");
    json_decref(body);
    assert_non_null(strstr(provider.last_head, "POST /a HTTP/1.1\r\n"));
    assert_non_null(strstr(provider.last_head, "\r\nAuthorization: Bearer k-1\r\n"));
    assert_non_null(strstr(provider.last_head, "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(provider.last_head, "\r\nX-One: 1\r\n"));
    assert_non_null(strstr(provider.last_head, "\r\nX-Empty:"));
    assert_non_null(strstr(provider.last_head, "\r\nAccept: audio/mpeg\r\n"));
    assert_non_null(strstr(provider.last_head, "\r\nIdempotency-Key: key-1\r\n"));
    assert_string_equal(provider.last_body, "{\"name\":\"Vera\"}");

    TRY(.method = "PATCH", .form = "a=1&b=2", .bearer = "theirs");
    assert_non_null(strstr(provider.last_head, "PATCH / HTTP/1.1\r\n"));
    assert_non_null(strstr(provider.last_head, "\r\nAuthorization: Bearer theirs\r\n"));
    assert_null(strstr(provider.last_head, "k-1"));
    assert_non_null(strstr(provider.last_head, "\r\nContent-Type: application/x-www-form-urlencoded\r\n"));
    assert_string_equal(provider.last_body, "a=1&b=2");

    TRY(.method = "PUT", .body = "\x01\x02", .length = 2, .content_type = "image/png", .no_key = true);
    assert_non_null(strstr(provider.last_head, "\r\nContent-Type: image/png\r\n"));
    assert_null(strcasestr(provider.last_head, "\r\nAuthorization"));
    assert_string_equal(provider.last_body, "\x01\x02");

    TRY(.method = "POST");
    assert_non_null(strstr(provider.last_head, "\r\nContent-Length: 0\r\n"));
    TRY(.method = "DELETE", .path = "/x");
    assert_non_null(strstr(provider.last_head, "DELETE /x HTTP/1.1\r\n"));
    TRY(.method = "HEAD");
    assert_non_null(strstr(provider.last_head, "HEAD / HTTP/1.1\r\n"));
    assert_int_equal(seen.status, 200);
    assert_int_equal(seen.length, 0);
    stop_client();
}

static void test_key_header(void **state)
{
    (void)state;
    start_client((struct provider_settings){ .key = "k-1", .key_header = "xi-api-key" }, serve_json);
    TRY(.path = "/");
    assert_non_null(strstr(provider.last_head, "\r\nxi-api-key: k-1\r\n"));
    assert_null(strcasestr(provider.last_head, "\r\nAuthorization"));

    static const edge_header own[] = { { "XI-API-KEY", "mine" }, { 0 } };
    TRY(.path = "/", .headers = own);
    assert_non_null(strstr(provider.last_head, "\r\nXI-API-KEY: mine\r\n"));
    assert_null(strstr(provider.last_head, "k-1"));
    stop_client();
}

static void test_not_configured(void **state)
{
    (void)state;
    start_client((struct provider_settings){ .key_variable = "PEER_API_KEY" }, serve_json);
    FETCH(.path = "/");
    assert_int_equal(outcome.status, 503);
    assert_string_equal(outcome.code, "not_configured");
    assert_non_null(strstr(outcome.message, "PEER_API_KEY"));
    assert_int_equal(provider.requests, 0);
    FETCH(.path = "/", .bearer = "theirs");
    assert_int_equal(outcome.status, 0);
    FETCH(.path = "/", .no_key = true);
    assert_int_equal(outcome.status, 0);
    stop_client();

    struct provider_settings nowhere = { .name = "peer" };
    assert_int_equal(http_start(fiber_loop(), &nowhere, 1), 0);
    FETCH(.path = "/");
    assert_int_equal(outcome.status, 503);
    assert_non_null(strstr(outcome.message, "PEER_BASE_URL"));
    http_stop();
}

static void fetch_unknown(edge_ctx *ctx)
{
    edge_fetch(ctx, "nobody", .path = "/");
}

static void test_functions_mistakes(void **state)
{
    (void)state;
    start_client((struct provider_settings){ 0 }, serve_json);
    run(fetch_unknown);
    assert_int_equal(outcome.status, 500);
    assert_string_equal(outcome.code, "internal_error");
    assert_non_null(strstr(outcome.detail, "nobody"));

    static const edge_header bad[][2] = { { { "X-A", "1\r\nX-B: 2" } }, { { "X-A\r\nX-B", "2" } },
        { { "X A", "1" } }, { { "X-A", "1\n" } }, { { "Content-Length", "3" } },
        { { "transfer-encoding", "chunked" } } };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        TRY(.path = "/", .headers = bad[i]);
        assert_int_equal(outcome.status, 500);
    }
    TRY(.path = "/", .bearer = "a\r\nb");
    assert_int_equal(outcome.status, 500);
    TRY(.path = "/", .idempotency_key = "a\nb");
    assert_int_equal(outcome.status, 500);
    TRY(.path = "@elsewhere/");
    assert_int_equal(outcome.status, 500);
    TRY(.path = "/a b");
    assert_int_equal(outcome.status, 500);
    TRY(.path = "/users/../admin");
    assert_int_equal(outcome.status, 500);
    TRY(.method = "GET / HTTP/1.1\r\nX: y");
    assert_int_equal(outcome.status, 500);
    assert_int_equal(provider.requests, 0);
    stop_client();
}

static void test_base_urls(void **state)
{
    (void)state;
    static const char *const unusable[] = { "ftp://example.com", "file:///etc/passwd", "http://", "not a url",
        "http://example.com/?a=b", NULL };
    for (const char *const *url = unusable; *url != NULL; url++) {
        struct provider_settings settings = { .name = "peer", .base_url = *url };
        assert_int_equal(http_start(fiber_loop(), &settings, 1), -EINVAL);
    }
    struct provider_settings broken_key = { .name = "peer", .base_url = "http://x", .key = "a\nb" };
    assert_int_equal(http_start(fiber_loop(), &broken_key, 1), -EINVAL);

    char base[64];
    snprintf(base, sizeof base, "http://127.0.0.1:%d/base/", provider.port);
    start_client((struct provider_settings){ .base_url = base }, serve_json);
    TRY(.path = "/a");
    assert_non_null(strstr(provider.last_head, "GET /base/a HTTP/1.1\r\n"));
    stop_client();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_sent),
        cmocka_unit_test(test_key_header),
        cmocka_unit_test(test_not_configured),
        cmocka_unit_test(test_functions_mistakes),
        cmocka_unit_test(test_base_urls),
    };
    return cmocka_run_group_tests(tests, start_peer, stop_peer);
}
