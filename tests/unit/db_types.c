/*
 * Values exactly: decimals, bytes, lists, large numbers in documents, and rows as JSON text.
 */
#include "db_harness.h"

#include <math.h>

/* --- columns -----------------------------------------------------------------------------------------------
 */

#define EXACT                                                                                                  \
    "SELECT '12345678901234567890.123456789'::numeric AS price, 9223372036854775807 AS big, 'NaN'::numeric AS" \
    " none, NULL::numeric AS nothing, '\\x00ff10'::bytea AS raw, ''::bytea AS no_bytes, 'abc' AS word,"        \
    " '1 day 02:00'::interval AS span, '12:30'::time AS clock, '2026-03-10'::date AS day"

static void read_exact(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_rows *rows = edge_service_query(ctx, EXACT);
    size_t length = 9;
    assert_string_equal(edge_rows_decimal(rows, 0, "price"), "12345678901234567890.123456789");
    assert_string_equal(edge_rows_decimal(rows, 0, "big"), "9223372036854775807");
    assert_string_equal(edge_rows_decimal(rows, 0, "none"), "NaN");
    assert_null(edge_rows_decimal(rows, 0, "nothing"));
    assert_memory_equal(edge_rows_bytes(rows, 0, "raw", &length), "\0\xff\x10", 3);
    assert_int_equal(length, 3);
    assert_non_null(edge_rows_bytes(rows, 0, "no_bytes", &length));
    assert_int_equal(length, 0);
    assert_string_equal(edge_rows_bytes(rows, 0, "word", &length), "abc");
    assert_int_equal(length, 3);
    assert_null(edge_rows_bytes(rows, 0, "nothing", &length));
    assert_string_equal(edge_rows_text(rows, 0, "span"), "1 day 02:00:00");
    assert_string_equal(edge_rows_text(rows, 0, "clock"), "12:30:00");
    assert_string_equal(edge_rows_text(rows, 0, "day"), "2026-03-10");
}

static void read_word_as_decimal(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_rows_decimal(edge_service_query(ctx, EXACT), 0, "word");
}

static void exact_columns(void **state)
{
    NEEDS_SERVER(state);
    assert_fine(run_invocation(read_exact, NULL));
    assert_int_equal(run_invocation(read_word_as_decimal, NULL).status, 500);
}

static void read_lists(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_rows *rows = edge_service_query(ctx,
        "SELECT ARRAY['a', NULL, 'b,\"c', 'NULL', ''] AS words, ARRAY[1, NULL, 3]::int[] AS ints,"
        " ARRAY[9223372036854775807] AS big, ARRAY[1.50, 2.25]::numeric[] AS prices, '{}'::text[] AS none,"
        " NULL::text[] AS nothing, '[0:1]={7,8}'::int[] AS bounds, ARRAY['2026-03-10'::date] AS days");
    size_t count = 9;
    const char *const *words = edge_rows_texts(rows, 0, "words", &count);
    assert_int_equal(count, 5);
    assert_string_equal(words[0], "a");
    assert_null(words[1]);
    assert_string_equal(words[2], "b,\"c");
    assert_string_equal(words[3], "NULL");
    assert_string_equal(words[4], "");

    const int64_t *ints = edge_rows_ints(rows, 0, "ints", &count);
    assert_int_equal(count, 3);
    assert_true(ints[0] == 1 && ints[1] == 0 && ints[2] == 3);
    assert_true(edge_rows_ints(rows, 0, "big", &count)[0] == INT64_MAX);
    assert_true(edge_rows_ints(rows, 0, "bounds", &count)[1] == 8);
    assert_string_equal(edge_rows_texts(rows, 0, "prices", &count)[0], "1.50");
    assert_true(edge_rows_numbers(rows, 0, "prices", &count)[1] == 2.25);
    assert_string_equal(edge_rows_texts(rows, 0, "days", &count)[0], "2026-03-10");
    assert_non_null(edge_rows_texts(rows, 0, "none", &count));
    assert_int_equal(count, 0);
    assert_null(edge_rows_texts(rows, 0, "nothing", &count));
}

static void read_list_as(edge_ctx *ctx, void *arg)
{
    size_t count;
    edge_rows *rows = edge_service_query_args(ctx, arg, NULL, 0);
    edge_rows_ints(rows, 0, "v", &count);
}

static void lists(void **state)
{
    NEEDS_SERVER(state);
    static const char *const refused[] = { "SELECT 1 AS v", "SELECT ARRAY[[1], [2]] AS v",
        "SELECT ARRAY['a'] AS v", "SELECT ARRAY[1.5] AS v", "SELECT ARRAY[1e30::numeric] AS v" };
    assert_fine(run_invocation(read_lists, NULL));
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        assert_int_equal(run_invocation(read_list_as, (char *)refused[i]).status, 500);
}

/* --- parameters --------------------------------------------------------------------------------------------
 */

static void expect_bound(edge_ctx *ctx, edge_arg value, const char *wanted)
{
    edge_rows *rows =
        edge_service_query(ctx, "SELECT pg_typeof($1) || ' ' || coalesce($1::text, '-') AS v", value);
    assert_string_equal(edge_rows_text(rows, 0, "v"), wanted);
}

static void bind_values(edge_ctx *ctx, void *arg)
{
    (void)arg;
    static const int64_t small[] = { 1, -2 }, big[] = { 1, INT64_MIN };
    static const char *const ids[] = { "c0ffee00-0000-4000-8000-000000000001", NULL };
    static const char *const prices[] = { "1.50", "12345678901234567890.1" };
    static const char *const words[] = { "a\"b", "c\\d", "NULL", NULL, "" };
    expect_bound(ctx, edge_decimal("0.10"), "numeric 0.10");
    expect_bound(ctx, edge_decimal(NULL), "numeric -");
    expect_bound(ctx, edge_date("2026-03-10"), "date 2026-03-10");
    expect_bound(ctx, edge_ints(small, 2), "integer[] {1,-2}");
    expect_bound(ctx, edge_ints(big, 2), "bigint[] {1,-9223372036854775808}");
    expect_bound(ctx, edge_ints(NULL, 0), "integer[] {}");
    expect_bound(ctx, edge_ints(NULL, 1), "integer[] -");
    expect_bound(ctx, edge_uuids(ids, 2), "uuid[] {c0ffee00-0000-4000-8000-000000000001,NULL}");
    expect_bound(ctx, edge_decimals(prices, 2), "numeric[] {1.50,12345678901234567890.1}");
    expect_bound(ctx, edge_texts(words, 5), "text[] {\"a\\\"b\",\"c\\\\d\",\"NULL\",NULL,\"\"}");
    expect_bound(ctx, edge_time(INT64_MAX), "timestamp with time zone infinity");
    expect_bound(ctx, edge_time(INT64_MIN), "timestamp with time zone -infinity");
    expect_bound(ctx, edge_time(-1), "timestamp with time zone 1969-12-31 23:59:59.999999+00");

    edge_rows *found = edge_service_query(
        ctx, "SELECT i FROM generate_series(1, 5) AS i WHERE i = ANY($1) ORDER BY i", edge_ints(big, 1));
    assert_int_equal(edge_rows_count(found), 1);
}

static void bound_lists(void **state)
{
    NEEDS_SERVER(state);
    assert_fine(run_invocation(bind_values, NULL));
}

/* --- JSON --------------------------------------------------------------------------------------------------
 */

static void expect_both(edge_ctx *ctx, const char *sql, const char *tree, const char *text)
{
    edge_rows *rows = edge_service_query_args(ctx, sql, NULL, 0);
    assert_string_equal(edge_json_dump(ctx, edge_rows_json(rows), NULL), tree);
    size_t length = 0;
    assert_string_equal(edge_rows_json_text(rows, &length), text != NULL ? text : tree);
    assert_int_equal(length, strlen(text != NULL ? text : tree));
}

static void render(edge_ctx *ctx, void *arg)
{
    (void)arg;
    static const char *const cases[][3] = {
        { "SELECT 1 AS a WHERE false", "[]" },
        { "SELECT 1 AS a, 2 AS b, 3 AS a", "[{\"a\":3,\"b\":2}]" },
        { "SELECT i, NULL::text AS n FROM generate_series(1, 2) AS i",
            "[{\"i\":1,\"n\":null},{\"i\":2,\"n\":null}]" },
        { "SELECT 12.50 AS a, 3.00 AS b, 0.1::float8 + 0.2::float8 AS c, 1e30::numeric AS d, 'NaN'::float8 AS "
          "e",
            "[{\"a\":12.5,\"b\":3,\"c\":0.30000000000000004,\"d\":1e+30,\"e\":\"NaN\"}]" },
        { "SELECT -9223372036854775808 AS a, 92233720368547758080 AS b",
            "[{\"a\":-9223372036854775808,\"b\":9.223372036854776e+19}]" },
        { "SELECT true AS a, E'x\"\\\\\\n\\t\\x01g\\u00fc' AS \"k\"\"ey\"",
            "[{\"a\":true,\"k\\\"ey\":\"x\\\"\\\\\\n\\t\\u0001g\xc3\xbc\"}]" },
        { "SELECT '2026-03-10 14:00:00.5+02'::timestamptz AS a, 'infinity'::timestamptz AS b, "
          "'2026-03-10'::date AS c",
            "[{\"a\":\"2026-03-10T12:00:00.5+00:00\",\"b\":\"infinity\",\"c\":\"2026-03-10\"}]" },
        { "SELECT ARRAY[1, NULL] AS a, ARRAY['x'] AS b, ARRAY['{\"k\": 1}'::jsonb] AS c",
            "[{\"a\":[1,null],\"b\":[\"x\"],\"c\":[{\"k\":1}]}]" },
        { "SELECT '{\"a b\": [1, {\"c\": \"d \\\\\\\" e\"}]}'::jsonb AS a",
            "[{\"a\":{\"a b\":[1,{\"c\":\"d \\\\\\\" e\"}]}}]" },
        { "SELECT '{\"n\": 92233720368547758080, \"m\": [-1234567890123456789012345], \"s\": "
          "\"92233720368547758080\","
          " \"f\": 1234567890123456789012.5, \"ok\": 9007199254740993}'::json AS a",
            "[{\"a\":{\"n\":9.223372036854776e+19,\"m\":[-1.2345678901234568e+24],\"s\":"
            "\"92233720368547758080\","
            "\"f\":1.2345678901234568e+21,\"ok\":9007199254740993}}]",
            "[{\"a\":{\"n\":92233720368547758080,\"m\":[-1234567890123456789012345],\"s\":"
            "\"92233720368547758080\","
            "\"f\":1234567890123456789012.5,\"ok\":9007199254740993}}]" },
        { "SELECT '92233720368547758080'::jsonb AS a, '1.10'::jsonb AS b",
            "[{\"a\":9.223372036854776e+19,\"b\":1.1}]", "[{\"a\":92233720368547758080,\"b\":1.10}]" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_both(ctx, cases[i][0], cases[i][1], cases[i][2]);

    edge_rows *deep = edge_service_query(ctx, "SELECT (repeat('[', 300) || repeat(']', 300))::jsonb AS v");
    assert_string_equal(edge_rows_json_text(deep, NULL), edge_json_dump(ctx, edge_rows_json(deep), NULL));
}

static void rows_as_text(void **state)
{
    NEEDS_SERVER(state);
    assert_fine(run_invocation(render, NULL));
}

/* Nothing is made for a row that is written: the invocation's memory is the result and the text. */
static void render_many(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_rows *rows = edge_service_query(ctx, "SELECT i AS id, 'name ' || i AS name, now() AS at, 1.5 * i AS "
                                              "price FROM generate_series(1, 5000) AS i");
    size_t before = ctx->arena.used_bytes, length = 0;
    edge_rows_json_text(rows, &length);
    assert_in_range(ctx->arena.used_bytes - before, length, length + 4096);
}

static void lean_text(void **state)
{
    NEEDS_SERVER(state);
    assert_fine(run_invocation(render_many, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_columns),
        cmocka_unit_test(lists),
        cmocka_unit_test(bound_lists),
        cmocka_unit_test(rows_as_text),
        cmocka_unit_test(lean_text),
    };
    return cmocka_run_group_tests(tests, start_pool, stop_pool);
}
