/*
 * Routing: precedence, sub-paths of functions, decoding, and what is refused.
 */
#include <http/route.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUNCTION(function_name, function_route)                                                                \
    {                                                                                                          \
        .name = function_name, .route = function_route, .enabled = true                                        \
    }

static const struct function_config functions[] = {
    FUNCTION("x", "/functions/v1/x"),
    FUNCTION("xSub", "/functions/v1/x/sub"),
    FUNCTION("xId", "/functions/v1/x/{id}/detail"),
    FUNCTION("xFiles", "/functions/v1/x/files/*"),
    FUNCTION("any", "/functions/v1/*"),
    FUNCTION("anyNamed", "/functions/v1/{name}/*"),
    FUNCTION("storage", "/storage/{bucket}/{name}"),
    FUNCTION("storageLeft", "/storage/public/{name}"),
    FUNCTION("storageRight", "/storage/{bucket}/index"),
    FUNCTION("root", "/"),
    FUNCTION("callback", "/oauth/callback"),
    { .name = "off", .route = "/off", .enabled = false },
};

static struct route_table *table;
static char scratch[16384];
static struct route_match match;

static int set_up(void **state)
{
    (void)state;
    struct route_error error;
    return route_table_create(functions, sizeof functions / sizeof *functions, &table, &error);
}

static int tear_down(void **state)
{
    (void)state;
    route_table_free(table);
    return 0;
}

/* Finds path with scratch memory of exactly the announced size, so that a sanitizer sees an overrun. */
static int find(const char *path)
{
    size_t length = strlen(path), size = route_scratch_bytes(table, length);
    assert_true(size <= sizeof scratch);
    char *exact = malloc(size), *copy = strdup(path);
    int result = route_find(table, copy, length, exact, &match);
    memcpy(scratch, exact, size);
    match.path = match.path != NULL ? scratch + (match.path - exact) : NULL;
    match.rest = match.rest != NULL ? scratch + (match.rest - exact) : NULL;
    for (edge_header *param = match.params; param->name != NULL; param++)
        *param = (edge_header){ scratch + (param->name - exact), scratch + (param->value - exact) };
    free(exact);
    free(copy);
    return result;
}

static void routes_to(const char *path, const char *name, const char *rest)
{
    assert_int_equal(find(path), 0);
    assert_string_equal(match.function->name, name);
    assert_string_equal(match.rest, rest);
}

static void test_precedence(void **state)
{
    (void)state;
    routes_to("/functions/v1/x", "x", "");
    routes_to("/functions/v1/x/", "x", "/");
    routes_to("/functions/v1/x/sub", "xSub", "");
    routes_to("/functions/v1/x/sub/more", "x", "/sub/more");
    routes_to("/functions/v1/x/7/detail", "xId", "");
    routes_to("/functions/v1/x/7/other", "x", "/7/other");
    routes_to("/functions/v1/x/files/a/b", "xFiles", "/a/b");
    routes_to("/functions/v1/x/files", "xFiles", "");
    routes_to("/functions/v1/y", "anyNamed", "");
    routes_to("/functions/v1/y/z", "anyNamed", "/z");
    routes_to("/functions/v1/", "any", "/");
    routes_to("/storage/public/index", "storageLeft", "");
    routes_to("/storage/private/index", "storageRight", "");
    routes_to("/storage/private/other", "storage", "");
    routes_to("/", "root", "");
}

static void test_nothing_fits(void **state)
{
    (void)state;
    static const char *const paths[] = { "/nothing", "/oauth/callback/", "/oauth/callback/x", "/off",
        "/storage", "/storage//x", "/storage/a/b/c", "/function/v1/x", "/functions/v1x" };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        assert_int_equal(find(paths[i]), -ENOENT);
}

static void test_parameters(void **state)
{
    (void)state;
    routes_to("/storage/a%20b/c%2Fd%252F%C3%A9", "storage", "");
    assert_string_equal(match.params[0].name, "bucket");
    assert_string_equal(match.params[0].value, "a b");
    assert_string_equal(match.params[1].name, "name");
    assert_string_equal(match.params[1].value, "c/d%2F\xc3\xa9");
    assert_null(match.params[2].name);
    assert_string_equal(match.path, "/storage/a b/c%2Fd%2F\xc3\xa9");
    routes_to("/functions/v1/%78/a%2fb", "x", "/a%2Fb");
}

static void test_refused(void **state)
{
    (void)state;
    static const char *const paths[] = { "", "x", "*", "/%", "/%4", "/%zz", "/%00", "/a/../b", "/a/..",
        "/a/./b", "/%2e%2e/b", "/a/%2E./b", "/storage/a/..%2fb", "/storage/a/b%2F..", "/\xff", "/%ff",
        "/%c0%af" };
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        assert_int_equal(find(paths[i]), -EINVAL);
    routes_to("/functions/v1/x/..a/...", "x", "/..a/...");
}

static void test_long_paths(void **state)
{
    (void)state;
    char path[4000] = "/functions/v1/x";
    for (size_t i = strlen(path); i + 1 < sizeof path; i++)
        path[i] = i % 2 ? 'a' : '/';
    path[15] = '/';
    path[sizeof path - 1] = '\0';
    assert_int_equal(find(path), 0);
    assert_string_equal(match.function->name, "x");
    assert_string_equal(match.rest, path + 15);
}

static void test_tables(void **state)
{
    (void)state;
    struct route_error error;
    struct route_table *made = NULL;
    const struct function_config same[] = { FUNCTION("a", "/a/{x}"), FUNCTION("b", "/a/{y}") };
    assert_int_equal(route_table_create(same, 2, &made, &error), -EEXIST);
    assert_non_null(strstr(error.text, "\"a\" and \"b\""));
    const struct function_config twice[] = { FUNCTION("a", "/a"), FUNCTION("b", "/a") };
    assert_int_equal(route_table_create(twice, 2, &made, &error), -EEXIST);

    static const char *const malformed[] = { "a", "/a/{}", "/a/{x", "/a/b{x}", "/*/a", "/a*", "/{x}y", "/a%20b",
        "/{0123456789012345678901234567890123456789012}" };
    for (size_t i = 0; i < sizeof malformed / sizeof *malformed; i++) {
        const struct function_config bad[] = { FUNCTION("a", malformed[i]) };
        assert_int_equal(route_table_create(bad, 1, &made, &error), -EINVAL);
    }
    assert_int_equal(route_table_create(NULL, 0, &made, &error), 0);
    char memory[256];
    assert_int_equal(route_find(made, "/a", 2, memory, &match), -ENOENT);
    route_table_free(made);
}

static void test_region(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        { "", "" },
        { "forceFunctionRegion=us-east-1", "" },
        { "a=1&forceFunctionRegion=x&b=2", "a=1&b=2" },
        { "forceFunctionRegion=x&b=2", "b=2" },
        { "a=1&forceFunctionRegion", "a=1" },
        { "forceFunctionRegions=1&a", "forceFunctionRegions=1&a" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char query[64];
        snprintf(query, sizeof query, "%s", cases[i][0]);
        assert_int_equal(route_drop_region(query), strlen(cases[i][1]));
        assert_string_equal(query, cases[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_precedence),
        cmocka_unit_test(test_nothing_fits),
        cmocka_unit_test(test_parameters),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_long_paths),
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_region),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
