/*
 * What comes back from the server: typed columns, rows as JSON, NULL, bound values of every type.
 */
#include "db_harness.h"

#include "db/rows.h"

#include <math.h>

static void read_columns(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_rows *rows = edge_service_query(ctx,
        "SELECT 7::int2 AS small, -9007199254740993::int8 AS big, 12.50::numeric AS price, 1.5::float8 AS "
        "ratio,"
        " true AS yes, false AS no, 'g\xc3\xbcnther' AS name, NULL::text AS nothing,"
        " '2026-03-10 12:00:00.123456+00'::timestamptz AS at, '2026-03-10'::date AS day,"
        " '1e30'::numeric AS huge");

    assert_int_equal(edge_rows_count(rows), 1);
    assert_int_equal(edge_rows_int(rows, 0, "small"), 7);
    assert_true(edge_rows_int(rows, 0, "big") == INT64_C(-9007199254740993));
    assert_int_equal(edge_rows_int(rows, 0, "price"), 12);
    assert_int_equal(edge_rows_int(rows, 0, "yes"), 1);
    assert_true(edge_rows_int(rows, 0, "huge") == INT64_MAX);
    assert_true(edge_rows_number(rows, 0, "price") == 12.5);
    assert_true(edge_rows_number(rows, 0, "ratio") == 1.5);
    assert_true(edge_rows_bool(rows, 0, "yes"));
    assert_false(edge_rows_bool(rows, 0, "no"));
    assert_true(edge_rows_bool(rows, 0, "small"));
    assert_string_equal(edge_rows_text(rows, 0, "name"), "g\xc3\xbcnther");
    assert_true(edge_rows_time(rows, 0, "at") == INT64_C(1773144000123456));
    assert_true(edge_rows_time(rows, 0, "day") == INT64_C(1773100800000000));

    assert_true(edge_rows_null(rows, 0, "nothing"));
    assert_null(edge_rows_text(rows, 0, "nothing"));
    assert_int_equal(edge_rows_int(rows, 0, "nothing"), 0);
    assert_true(edge_rows_number(rows, 0, "nothing") == 0);
    assert_false(edge_rows_bool(rows, 0, "nothing"));
    assert_int_equal(edge_rows_time(rows, 0, "nothing"), 0);
    assert_true(json_is_null(edge_rows_value(rows, 0, "nothing")));
}

static void typed_columns(void **state)
{
    NEEDS_SERVER(state);
    assert_fine(run_invocation(read_columns, NULL));
}

static void expect_json(edge_ctx *ctx, const char *sql, const char *wanted)
{
    edge_rows *rows = edge_service_query_args(ctx, sql, NULL, 0);
    char *text = edge_json_dump(ctx, edge_rows_value(rows, 0, "v"), NULL);
    assert_string_equal(text, wanted);
}

static void render_values(edge_ctx *ctx, void *arg)
{
    (void)arg;
    static const char *const cases[][2] = {
        { "SELECT 42::int4 AS v", "42" },
        { "SELECT 9223372036854775807::int8 AS v", "9223372036854775807" },
        { "SELECT 12.50::numeric AS v", "12.5" },
        { "SELECT 0.1::float8 + 0.2::float8 AS v", "0.30000000000000004" },
        { "SELECT 'NaN'::numeric AS v", "\"NaN\"" },
        { "SELECT '-Infinity'::float8 AS v", "\"-Infinity\"" },
        { "SELECT 3.00::numeric AS v", "3" },
        { "SELECT true AS v", "true" },
        { "SELECT NULL::int AS v", "null" },
        { "SELECT '{\"a\": [1, {\"b\": null}]}'::jsonb AS v", "{\"a\":[1,{\"b\":null}]}" },
        { "SELECT '\"text\"'::json AS v", "\"text\"" },
        { "SELECT 'null'::jsonb AS v", "null" },
        { "SELECT '2026-03-10 14:00:00.5+02'::timestamptz AS v", "\"2026-03-10T12:00:00.5+00:00\"" },
        { "SELECT '2026-03-10 12:00:00'::timestamp AS v", "\"2026-03-10T12:00:00\"" },
        { "SELECT '2026-03-10'::date AS v", "\"2026-03-10\"" },
        { "SELECT 'infinity'::timestamptz AS v", "\"infinity\"" },
        { "SELECT 'c0ffee00-0000-4000-8000-000000000001'::uuid AS v",
            "\"c0ffee00-0000-4000-8000-000000000001\"" },
        { "SELECT ARRAY['a', NULL, 'NULL', '', 'x\"y', 'b\\c', 'd,e', '{f}'] AS v",
            "[\"a\",null,\"NULL\",\"\",\"x\\\"y\",\"b\\\\c\",\"d,e\",\"{f}\"]" },
        { "SELECT ARRAY[1, NULL, 3] AS v", "[1,null,3]" },
        { "SELECT ARRAY[]::text[] AS v", "[]" },
        { "SELECT ARRAY[true, false, NULL] AS v", "[true,false,null]" },
        { "SELECT ARRAY[1.5, 2.25]::numeric[] AS v", "[1.5,2.25]" },
        { "SELECT ARRAY[[1, 2], [3, 4]] AS v", "[[1,2],[3,4]]" },
        { "SELECT '[0:1]={7,8}'::int[] AS v", "[7,8]" },
        { "SELECT ARRAY['c0ffee00-0000-4000-8000-000000000001'::uuid] AS v",
            "[\"c0ffee00-0000-4000-8000-000000000001\"]" },
        { "SELECT ARRAY['{\"k\": \"v\"}'::jsonb, NULL] AS v", "[{\"k\":\"v\"},null]" },
        { "SELECT ARRAY['2026-03-10 12:00:00+00'::timestamptz] AS v", "[\"2026-03-10T12:00:00+00:00\"]" },
        { "SELECT interval '90 minutes' AS v", "\"01:30:00\"" },
        { "SELECT repeat('[', 200) || repeat(']', 200) AS v", NULL },
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (cases[i][1] != NULL)
            expect_json(ctx, cases[i][0], cases[i][1]);

    edge_rows *deep = edge_service_query(ctx, "SELECT (repeat('[', 300) || repeat(']', 300))::jsonb AS v");
    assert_true(json_is_string(edge_rows_value(deep, 0, "v")));
}

static void values_as_json(void **state)
{
    NEEDS_SERVER(state);
    assert_fine(run_invocation(render_values, NULL));
}

static void render_rows(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_rows *rows =
        edge_service_query(ctx, "SELECT i AS id, 'n' || i AS name FROM generate_series(1, 2) AS i");
    assert_string_equal(edge_json_dump(ctx, edge_rows_json(rows), NULL),
        "[{\"id\":1,\"name\":\"n1\"},{\"id\":2,\"name\":\"n2\"}]");
    assert_string_equal(edge_json_dump(ctx, edge_row_json(rows, 1), NULL), "{\"id\":2,\"name\":\"n2\"}");

    edge_rows *none = edge_service_query(ctx, "SELECT 1 AS id WHERE false");
    assert_int_equal(edge_rows_count(none), 0);
    assert_string_equal(edge_json_dump(ctx, edge_rows_json(none), NULL), "[]");
}

static void rows_as_json(void **state)
{
    NEEDS_SERVER(state);
    assert_fine(run_invocation(render_rows, NULL));
}

static void bind_everything(edge_ctx *ctx, void *arg)
{
    (void)arg;
    json_t *document = json_pack("{s:s, s:[i,i]}", "k", "v", "list", 1, 2);
    const char *const items[] = { "plain", "a\"b\\c,d{}", NULL, "" };
    edge_rows *rows = edge_service_query(ctx,
        "SELECT $1 + 1 AS number, $2 AS big, $3 AS price, $4 AS yes, $5 AS name, $6 AS id, $7 AS document,"
        " encode($8, 'hex') AS bytes, $9 AS at, $10 AS list, $11::text AS nothing, $12 AS no_text,"
        " $13 AS no_uuid, $14 AS no_document, $15 AS null_document",
        edge_int(-41), edge_int(INT64_C(5000000000)), edge_number(0.1), edge_bool(true),
        edge_text("g\xc3\xbcn"), edge_uuid("c0ffee00-0000-4000-8000-000000000001"), edge_json(document),
        edge_bytes("\0\xff", 2), edge_time(INT64_C(1773144000123456)), edge_texts(items, 4), edge_null(),
        edge_text(NULL), edge_uuid(NULL), edge_json(NULL), edge_json(json_null()));

    assert_int_equal(edge_rows_int(rows, 0, "number"), -40);
    assert_true(edge_rows_int(rows, 0, "big") == INT64_C(5000000000));
    assert_string_equal(edge_rows_text(rows, 0, "price"), "0.1");
    assert_true(edge_rows_bool(rows, 0, "yes"));
    assert_string_equal(edge_rows_text(rows, 0, "name"), "g\xc3\xbcn");
    assert_string_equal(edge_rows_text(rows, 0, "id"), "c0ffee00-0000-4000-8000-000000000001");
    assert_true(json_equal(edge_rows_value(rows, 0, "document"), document));
    assert_string_equal(edge_rows_text(rows, 0, "bytes"), "00ff");
    assert_true(edge_rows_time(rows, 0, "at") == INT64_C(1773144000123456));
    assert_string_equal(edge_json_dump(ctx, edge_rows_value(rows, 0, "list"), NULL),
        "[\"plain\",\"a\\\"b\\\\c,d{}\",null,\"\"]");
    assert_true(edge_rows_null(rows, 0, "nothing"));
    assert_true(edge_rows_null(rows, 0, "no_text"));
    assert_true(edge_rows_null(rows, 0, "no_uuid"));
    assert_true(edge_rows_null(rows, 0, "no_document"));
    assert_false(edge_rows_null(rows, 0, "null_document"));
}

static void bound_values(void **state)
{
    NEEDS_SERVER(state);
    assert_fine(run_invocation(bind_everything, NULL));
}

/* An int goes where PostgreSQL wants an integer, and a number keeps every digit. */
static void bind_without_casts(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_rows *rows = edge_service_query(ctx,
        "SELECT make_interval(days => $1)::text AS days, left('abcdef', $2) AS start,"
        " ('2026-03-10'::date + $1)::text AS later, $3 = 12345678901::int8 AS same,"
        " make_interval(secs => $4)::text AS secs, $5::float8 = 0.1::float8 + 0.2::float8 AS exact",
        edge_int(3), edge_int(2), edge_int(INT64_C(12345678901)), edge_number(1.5), edge_number(0.1 + 0.2));
    assert_string_equal(edge_rows_text(rows, 0, "days"), "3 days");
    assert_string_equal(edge_rows_text(rows, 0, "start"), "ab");
    assert_string_equal(edge_rows_text(rows, 0, "later"), "2026-03-13");
    assert_true(edge_rows_bool(rows, 0, "same"));
    assert_string_equal(edge_rows_text(rows, 0, "secs"), "00:00:01.5");
    assert_true(edge_rows_bool(rows, 0, "exact"));
}

static void values_without_casts(void **state)
{
    NEEDS_SERVER(state);
    assert_fine(run_invocation(bind_without_casts, NULL));
}

static void ask_unknown_column(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_rows *rows = edge_service_query(ctx, "SELECT 1 AS one");
    edge_rows_int(rows, 0, "two");
}

static void ask_missing_row(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_rows_int(edge_service_query(ctx, "SELECT 1 AS one WHERE false"), 0, "one");
}

static void wrong_questions(void **state)
{
    NEEDS_SERVER(state);
    struct invocation invocation = run_invocation(ask_unknown_column, NULL);
    assert_int_equal(invocation.status, 500);
    assert_string_equal(invocation.detail, "no column \"two\"");
    assert_int_equal(run_invocation(ask_missing_row, NULL).status, 500);
}

static void times_are_read(void **state)
{
    (void)state;
    assert_true(rows_parse_time("1970-01-01 00:00:00+00") == 0);
    assert_true(rows_parse_time("2000-02-29 23:59:59.000001+00") == INT64_C(951868799000001));
    assert_true(rows_parse_time("2026-03-10 17:30:00+05:30") == INT64_C(1773144000000000));
    assert_true(rows_parse_time("1969-12-31 23:59:59.5+00") == -500000);
    assert_true(rows_parse_time("0044-03-15 00:00:00+00 BC") < INT64_C(-62000000000000000));
    assert_true(rows_parse_time("infinity") == INT64_MAX);
}

static void large_answer(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_rows *rows =
        edge_service_query(ctx, "SELECT i, repeat('x', 1000) AS text FROM generate_series(1, 8000) AS i");
    assert_int_equal(edge_rows_count(rows), 8000);
    assert_int_equal(edge_rows_int(rows, 7999, "i"), 8000);
    assert_int_equal(strlen(edge_rows_text(rows, 4000, "text")), 1000);
}

static void memory_is_bounded(void **state)
{
    NEEDS_SERVER(state);
    assert_fine(run_invocation(large_answer, NULL));

    /* 8 MB of answer: refused when it is complete, and long before it is when it is much too large. */
    struct invocation small = { .body = large_answer, .memory_bytes = 6 * 1024 * 1024 };
    invocation_start(&small);
    run_all_invocations();
    assert_int_equal(small.status, 500);
    assert_string_equal(small.code, "memory_limit");
    struct invocation tiny = { .body = large_answer, .memory_bytes = 1024 * 1024 };
    invocation_start(&tiny);
    run_all_invocations();
    assert_string_equal(tiny.code, "memory_limit");
    assert_fine(run_invocation(read_columns, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read),
        cmocka_unit_test(typed_columns),
        cmocka_unit_test(values_as_json),
        cmocka_unit_test(rows_as_json),
        cmocka_unit_test(bound_values),
        cmocka_unit_test(values_without_casts),
        cmocka_unit_test(wrong_questions),
        cmocka_unit_test(memory_is_bounded),
    };
    return cmocka_run_group_tests(tests, start_pool, stop_pool);
}
