/*
 * Cross-origin headers: origins, preflights, and wish lists that are none.
 */
#include <http/cors.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

static const char *const everyone[] = { "*", NULL };
static const char *const listed[] = { "https://pulse.pwru.app", "http://localhost:5173", NULL };

static edge_header out[CORS_HEADER_MAX + 1];
static char scratch[CORS_SCRATCH_BYTES];

static const char *value(const char *name)
{
    for (edge_header *header = out; header->name != NULL; header++)
        if (strcmp(header->name, name) == 0)
            return header->value;
    return NULL;
}

static void answer(const char *const *origins, const char *origin)
{
    const edge_header request[] = { { origin != NULL ? "origin" : NULL, origin }, { 0 } };
    out[cors_answer(origins, request, out)] = (edge_header){ 0 };
}

static void preflight(const char *const *origins, const char *origin, const char *asked)
{
    const edge_header request[] = { { "origin", origin }, { "access-control-request-method", "POST" },
        { asked != NULL ? "access-control-request-headers" : NULL, asked }, { 0 } };
    assert_true(cors_is_preflight("OPTIONS", request));
    assert_false(cors_is_preflight("POST", request));
    size_t count = cors_preflight(origins, request, scratch, out);
    assert_true(count <= CORS_HEADER_MAX);
    out[count] = (edge_header){ 0 };
}

static void test_answers(void **state)
{
    (void)state;
    answer(everyone, "https://anywhere.example");
    assert_string_equal(value("access-control-allow-origin"), "*");
    assert_null(value("vary"));
    static const char *const exposed[] = { "x-relay-error", "sb-error-code", "x-request-id",
        "x-function-version", "retry-after" };
    for (size_t i = 0; i < sizeof exposed / sizeof *exposed; i++)
        assert_non_null(strstr(value("access-control-expose-headers"), exposed[i]));

    answer(everyone, NULL);
    assert_string_equal(value("access-control-allow-origin"), "*");

    answer(listed, "http://localhost:5173");
    assert_string_equal(value("access-control-allow-origin"), "http://localhost:5173");
    assert_string_equal(value("vary"), "Origin");

    static const char *const strangers[] = { "http://localhost:51730", "https://PULSE.pwru.app", "null", NULL };
    for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++) {
        answer(listed, strangers[i]);
        assert_null(value("access-control-allow-origin"));
        assert_null(value("access-control-expose-headers"));
        assert_string_equal(value("vary"), "Origin");
    }
}

static void test_preflights(void **state)
{
    (void)state;
    preflight(everyone, "https://a.example", NULL);
    assert_string_equal(value("access-control-allow-origin"), "*");
    assert_string_equal(value("access-control-allow-methods"), "GET, POST, PUT, PATCH, DELETE, OPTIONS");
    static const char *const always[] = { "authorization", "x-client-info", "apikey", "content-type",
        "x-retry-count", "x-clerk-auth", "idempotency-key", "traceparent", "tracestate", "baggage",
        "x-region" };
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        assert_non_null(strstr(value("access-control-allow-headers"), always[i]));

    preflight(listed, "https://pulse.pwru.app", "X-Clerk-Auth,x-mine,  x-other");
    const char *headers = value("access-control-allow-headers");
    assert_non_null(strstr(headers, "x-region, x-mine, x-other"));
    assert_null(strstr(headers, "X-Clerk-Auth"));
    assert_string_equal(value("vary"), "Origin, Access-Control-Request-Headers");

    preflight(listed, "https://evil.example", "x-mine");
    assert_null(value("access-control-allow-origin"));
    assert_null(value("access-control-allow-headers"));
}

static void test_wish_lists(void **state)
{
    (void)state;
    static const char *const refused[] = { "x-a\r\nset-cookie: b", "x-a; x-b", "\"x\"", "x-a/b", "(x)" };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        preflight(everyone, "https://a.example", refused[i]);
        assert_null(strstr(value("access-control-allow-headers"), "x-a"));
    }
    char many[CORS_SCRATCH_BYTES * 2];
    for (size_t i = 0; i + 1 < sizeof many; i++)
        many[i] = "abcdefg,"[i % 8 == 0 ? i / 8 % 7 : i * 7 / 8 % 8];
    many[sizeof many - 1] = '\0';
    preflight(everyone, "https://a.example", many);
    assert_non_null(strstr(value("access-control-allow-headers"), "x-clerk-auth"));
    memset(many, 'a', sizeof many - 1);
    preflight(everyone, "https://a.example", many);
    assert_null(strstr(value("access-control-allow-headers"), "aaaa"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_preflights),
        cmocka_unit_test(test_wish_lists),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
