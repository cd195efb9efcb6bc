/*
 * When and after how long calls are repeated, and URLs.
 */
#include <context.h>
#include <http/retry.h>
#include <http/url.h>

#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_what_may_get_better(void **state)
{
    (void)state;
    assert_true(retry_helps(EDGE_HTTP_UNREACHABLE, 0));
    assert_true(retry_helps(EDGE_HTTP_TIMEOUT, 0));
    assert_true(retry_helps(EDGE_HTTP_OK, 429));
    assert_true(retry_helps(EDGE_HTTP_OK, 500));
    assert_true(retry_helps(EDGE_HTTP_OK, 503));
    assert_false(retry_helps(EDGE_HTTP_OK, 200));
    assert_false(retry_helps(EDGE_HTTP_OK, 404));
    assert_false(retry_helps(EDGE_HTTP_OK, 501));
    assert_false(retry_helps(EDGE_HTTP_TOO_LARGE, 200));
    assert_false(retry_helps(EDGE_HTTP_BREAKER_OPEN, 0));
}

static void test_backoff(void **state)
{
    (void)state;
    for (int repeat = 0; repeat < 64; repeat++) {
        int64_t whole = repeat < 5 ? INT64_C(200) << repeat : 5000;
        for (uint32_t random = 0; random < 20000; random += 7) {
            int64_t ms = retry_backoff_ms(repeat, 0, random);
            assert_in_range(ms, whole / 2, whole);
            assert_in_range(retry_backoff_ms(repeat, 3, random), 3000, 3000 + whole / 2);
        }
    }
}

static void test_retry_after(void **state)
{
    (void)state;
    int64_t now = 1773144000; /* Tue, 10 Mar 2026 12:00:00 GMT */
    assert_int_equal(retry_after_seconds(NULL, now), 0);
    assert_int_equal(retry_after_seconds("", now), 0);
    assert_int_equal(retry_after_seconds("120", now), 120);
    assert_int_equal(retry_after_seconds("0", now), 0);
    assert_int_equal(retry_after_seconds("-5", now), 0);
    assert_int_equal(retry_after_seconds("soon", now), 0);
    assert_int_equal(retry_after_seconds("99999999999999999999", now), 24 * 3600);
    assert_int_equal(retry_after_seconds("Tue, 10 Mar 2026 12:01:30 GMT", now), 90);
    assert_int_equal(retry_after_seconds("Tuesday, 10-Mar-26 12:01:30 GMT", now), 90);
    assert_int_equal(retry_after_seconds("Tue, 10 Mar 2026 11:00:00 GMT", now), 0);
}

static void test_url_encode(void **state)
{
    (void)state;
    edge_ctx *ctx = calloc(1, sizeof *ctx);
    arena_init(&ctx->arena, 1 << 20);
    assert_string_equal(edge_url_encode(ctx, "AZaz09-._~"), "AZaz09-._~");
    assert_string_equal(edge_url_encode(ctx, "a b/c?d&e=f+g%"), "a%20b%2Fc%3Fd%26e%3Df%2Bg%25");
    assert_string_equal(edge_url_encode(ctx, "\xc3\xbc\x01\xff"), "%C3%BC%01%FF");
    assert_string_equal(edge_url_encode(ctx, ""), "");
    arena_free(&ctx->arena);
    free(ctx);
}

static void test_paths(void **state)
{
    (void)state;
    static const char *const sound[] = { "", "/", "/v1/users", "/a//b", "?q=1", "/a?b=../c&d=..",
        "/a.b/..c/c..", "/%2e%2e%2e", "/a%2Fb", "/...", "/v1/x@y:z", NULL };
    static const char *const unsound[] = { "v1", "@evil.example/", ".evil.example", ":80/", "/a b",
        "/a\r\nX: y", "/\x7f", "/\xc3\xbc", "/a#b", "/a\\b", "/..", "/../b", "/a/../b", "/a/..", "/a/./b", "/.",
        "/%2e%2E/b", "/a/.%2e?x", "/a/%2E", NULL };
    for (const char *const *path = sound; *path != NULL; path++)
        assert_true(url_path_is_sound(*path));
    for (const char *const *path = unsound; *path != NULL; path++)
        assert_false(url_path_is_sound(*path));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_may_get_better),
        cmocka_unit_test(test_backoff),
        cmocka_unit_test(test_retry_after),
        cmocka_unit_test(test_url_encode),
        cmocka_unit_test(test_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
