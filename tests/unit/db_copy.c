/*
 * COPY: both directions, what goes wrong in the middle, and how little memory it takes.
 */
#include "db_harness.h"

#define ROWS 200000

static void make_tables(void)
{
    run_sql(admin,
        "DROP TABLE IF EXISTS copied; CREATE TABLE copied (id int PRIMARY KEY, name text, data jsonb,"
        " at timestamptz, raw bytea, tags text[], price numeric, ok boolean, numbers int[]);"
        " GRANT ALL ON copied TO service_role, authenticated");
}

/* --- in ----------------------------------------------------------------------------------------------------
 */

static void copy_rows(edge_ctx *ctx, void *arg)
{
    (void)arg;
    static const char *const tags[] = { "a\tb", "c\\d", "e\"f", NULL };
    static const int64_t numbers[] = { 1, 2 };
    edge_copier *copy = edge_service_copy_in(ctx, "COPY copied FROM STDIN");
    edge_copy_row(copy, edge_int(1), edge_text("tab\there\nline\\N\rend\x0b\x0c\b"),
        edge_json(json_pack("{s:s, s:f}", "k", "v\n\"", "n", 1.5)), edge_time(INT64_C(1773144000123456)),
        edge_bytes("\0\xff\\", 3), edge_texts(tags, 4), edge_decimal("12.50"), edge_bool(true),
        edge_ints(numbers, 2));
    edge_copy_row(copy, edge_int(2), edge_null(), edge_json(NULL), edge_time(-INT64_C(62200000000000000)),
        edge_bytes(NULL, 0), edge_texts(NULL, 1), edge_number(0.1), edge_bool(false), edge_ints(NULL, 0));
    edge_copy_row(copy, edge_int(3), edge_text(""), edge_json(json_null()), edge_time(INT64_MAX),
        edge_bytes("", 0), edge_texts(NULL, 0), edge_null(), edge_null(), edge_null());
    assert_int_equal(edge_copy_end(copy), 3);

    edge_rows *rows = edge_service_query(ctx, "SELECT *, id::numeric AS n FROM copied ORDER BY id");
    size_t length = 0;
    assert_string_equal(edge_rows_text(rows, 0, "name"), "tab\there\nline\\N\rend\x0b\x0c\b");
    assert_string_equal(edge_rows_text(rows, 0, "data"), "{\"k\": \"v\\n\\\"\", \"n\": 1.5}");
    assert_true(edge_rows_time(rows, 0, "at") == INT64_C(1773144000123456));
    assert_memory_equal(edge_rows_bytes(rows, 0, "raw", &length), "\0\xff\\", 3);
    assert_string_equal(edge_rows_text(rows, 0, "tags"), "{\"a\tb\",\"c\\\\d\",\"e\\\"f\",NULL}");
    assert_string_equal(edge_rows_decimal(rows, 0, "price"), "12.50");
    assert_string_equal(edge_rows_text(rows, 0, "numbers"), "{1,2}");
    assert_true(edge_rows_null(rows, 1, "name") && edge_rows_null(rows, 1, "data") &&
                edge_rows_null(rows, 1, "raw") && edge_rows_null(rows, 1, "tags"));
    assert_true(edge_rows_time(rows, 1, "at") == -INT64_C(62200000000000000));
    assert_string_equal(edge_rows_text(rows, 2, "name"), "");
    assert_string_equal(edge_rows_text(rows, 2, "data"), "null");
    assert_string_equal(edge_rows_text(rows, 2, "at"), "infinity");
    assert_string_equal(edge_rows_text(rows, 2, "tags"), "{}");
}

static void copy_csv(edge_ctx *ctx, void *arg)
{
    (void)arg;
    static const char csv[] = "id,name\n10,\"x,\"\"y\"\n11,z\n";
    EDGE_TRANSACTION(ctx, tx, .service = true)
    {
        edge_tx_send(tx, "DELETE FROM copied");
        edge_copier *copy = edge_tx_copy_in(tx, "COPY copied (id, name) FROM STDIN (FORMAT csv, HEADER)");
        for (size_t i = 0; i < sizeof csv - 1; i++)
            edge_copy_write(copy, csv + i, 1);
        assert_int_equal(edge_copy_end(copy), 2);
        assert_string_equal(
            edge_rows_text(edge_tx_query(tx, "SELECT name FROM copied WHERE id = $1", edge_int(10)), 0, "name"),
            "x,\"y");
    }
}

static void copy_much(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_copier *copy = edge_service_copy_in(ctx, "COPY copied (id, name) FROM STDIN");
    size_t before = ctx->arena.used_bytes;
    char name[101];
    memset(name, 'n', 100);
    name[100] = '\0';
    for (int i = 0; i < ROWS; i++)
        edge_copy_row(copy, edge_int(i), edge_text(name));
    assert_int_equal(edge_copy_end(copy), ROWS);
    assert_true(ctx->arena.used_bytes - before < 16384);
}

static void copy_own_table(edge_ctx *ctx, void *arg)
{
    (void)arg;
    EDGE_TRANSACTION(ctx, tx)
    {
        edge_tx_send(tx, "CREATE TEMPORARY TABLE staged (id int, name text) ON COMMIT DROP");
        edge_copier *copy = edge_tx_copy_in(tx, "COPY staged FROM STDIN");
        edge_copy_row(copy, edge_int(900001), edge_text("staged"));
        edge_copy_end(copy);
        edge_tx_query(tx, "INSERT INTO copied (id, name) SELECT id, name FROM staged");
    }
}

static void copying_in(void **state)
{
    NEEDS_SERVER(state);
    make_tables();
    assert_fine(run_invocation(copy_rows, NULL));
    assert_fine(run_invocation(copy_csv, NULL));
    assert_int_equal(ask_int("SELECT count(*) FROM copied"), 2);
    make_tables();
    assert_fine(run_invocation(copy_much, NULL));
    assert_int_equal(ask_int("SELECT count(*) FROM copied"), ROWS);
    assert_fine(run_as("user_1", copy_own_table, NULL));
    assert_int_equal(ask_int("SELECT count(*) FROM copied WHERE name = 'staged'"), 1);
    expect_clean_pool();
}

/* --- out ---------------------------------------------------------------------------------------------------
 */

static size_t read_all(edge_copier *copy, size_t *longest, char *last)
{
    const char *piece = NULL;
    size_t length = 0, total = 0;
    *longest = 0;
    while ((piece = edge_copy_read(copy, &length)) != NULL) {
        total += length;
        *longest = length > *longest ? length : *longest;
        *last = piece[length - 1];
        assert_int_equal(*last, '\n');
    }
    return total;
}

static void copy_out(edge_ctx *ctx, void *arg)
{
    (void)arg;
    size_t longest = 0, before = ctx->arena.used_bytes;
    char last = 0;
    edge_copier *copy =
        edge_service_copy_out(ctx, "COPY (SELECT id, name FROM copied ORDER BY id) TO STDOUT (FORMAT csv)");
    size_t total = read_all(copy, &longest, &last);
    assert_true(total > (size_t)ROWS * 100);
    assert_true(longest < 17000);
    assert_true(ctx->arena.used_bytes - before < 16384);
    assert_int_equal(edge_copy_end(copy), ROWS + 1);
    assert_null(edge_copy_read(copy, &longest));
}

static void copy_setting(edge_ctx *ctx, void *arg)
{
    (void)arg;
    size_t length = 0;
    EDGE_TRANSACTION(ctx, tx)
    {
        edge_tx_send(tx, "SELECT set_config('edge.since', $1, true)", edge_text("x\ty"));
        edge_copier *copy =
            edge_tx_copy_out(tx, "COPY (SELECT current_user, current_setting('edge.since')) TO STDOUT");
        const char *piece = edge_copy_read(copy, &length);
        assert_int_equal(length, strlen("authenticated\tx\\ty\n"));
        assert_memory_equal(piece, "authenticated\tx\\ty\n", length);
        assert_int_equal(edge_copy_end(copy), 1);
        edge_tx_query(tx, "SELECT 1");
    }
    EDGE_TRANSACTION(ctx, tx, .service = true)
    {
        edge_tx_send(tx, "INSERT INTO copied (id) VALUES (-1)");
        edge_copier *copy = edge_tx_copy_out(tx, "COPY copied TO STDOUT");
        edge_copy_read(copy, &length);
        assert_true(edge_copy_end(copy) > ROWS);
    }
}

/* Whoever has read enough of a copy of its own lets go of it. */
static void copy_some(edge_ctx *ctx, void *arg)
{
    (void)arg;
    size_t length = 0;
    edge_copier *copy = edge_service_copy_out(ctx, "COPY copied TO STDOUT");
    assert_non_null(edge_copy_read(copy, &length));
    edge_copy_end(copy);
    assert_int_equal(edge_rows_count(edge_service_query(ctx, "SELECT 1")), 1);
}

static void copying_out(void **state)
{
    NEEDS_SERVER(state);
    assert_fine(run_invocation(copy_out, NULL));
    assert_fine(run_as("user_1", copy_setting, NULL));
    assert_int_equal(ask_int("SELECT count(*) FROM copied WHERE id = -1"), 1);
    assert_fine(run_invocation(copy_some, NULL));
    expect_clean_pool();
}

/* --- what goes wrong ---------------------------------------------------------------------------------------
 */

static void copy_bad_row(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_copier *copy = edge_service_copy_in(ctx, "COPY copied (id, name) FROM STDIN");
    for (int i = 0; i < 5000; i++)
        edge_copy_row(copy, edge_int(i), edge_text("bad"));
    edge_copy_row(copy, edge_text("no number"), edge_text("bad"));
    for (int i = 0; i < 5000; i++)
        edge_copy_row(copy, edge_int(10000 + i), edge_text("bad"));
    edge_copy_end(copy);
}

static void copy_and_leave(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_copier *copy = edge_service_copy_in(ctx, "COPY copied (id, name) FROM STDIN");
    for (int i = 0; i < 5000; i++)
        edge_copy_row(copy, edge_int(i), edge_text("left"));
}

static void copy_and_fail(edge_ctx *ctx, void *arg)
{
    copy_and_leave(ctx, arg);
    edge_fail(ctx, 409, "changed_mind", "Nothing is copied");
}

static void read_and_wait(edge_ctx *ctx, void *arg)
{
    (void)arg;
    size_t length = 0;
    edge_copier *copy =
        edge_service_copy_out(ctx, "COPY (SELECT repeat('x', 1000) FROM generate_series(1, 100000)) TO STDOUT");
    edge_copy_read(copy, &length);
    edge_sleep(ctx, 10000);
}

static void wait_for_rows(edge_ctx *ctx, void *arg)
{
    (void)arg;
    size_t length = 0;
    edge_copier *copy = edge_service_copy_out(ctx, "COPY (SELECT pg_sleep(20)) TO STDOUT");
    edge_copy_read(copy, &length);
}

static void run_copy_sql(edge_ctx *ctx, void *arg)
{
    edge_service_copy_in(ctx, arg);
}

static void run_out_sql(edge_ctx *ctx, void *arg)
{
    size_t length = 0;
    edge_copier *copy = edge_service_copy_out(ctx, arg);
    while (edge_copy_read(copy, &length) != NULL)
        continue;
}

static void use_while_copying(edge_ctx *ctx, void *arg)
{
    (void)arg;
    EDGE_TRANSACTION(ctx, tx, .service = true)
    {
        edge_tx_copy_in(tx, "COPY copied (id) FROM STDIN");
        edge_tx_query(tx, "SELECT 1");
    }
}

#define TERMINATE                                                                                              \
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'edge_runtime'"                    \
    " AND datname = current_database()"

static void lose_in(edge_ctx *ctx, void *arg)
{
    (void)arg;
    EDGE_TRANSACTION(ctx, tx, .service = true)
    {
        edge_copier *copy = edge_tx_copy_in(tx, "COPY copied (id) FROM STDIN");
        run_sql(admin, TERMINATE);
        edge_sleep(ctx, 200);
        edge_copy_row(copy, edge_int(1));
        edge_copy_end(copy);
    }
}

static void lose_out(edge_ctx *ctx, void *arg)
{
    (void)arg;
    size_t length = 0;
    EDGE_TRANSACTION(ctx, tx, .service = true)
    {
        edge_copier *copy =
            edge_tx_copy_out(tx, "COPY (SELECT repeat('x', 1000) FROM generate_series(1, 100000)) TO STDOUT");
        run_sql(admin, TERMINATE);
        while (edge_copy_read(copy, &length) != NULL)
            continue;
    }
}

static void expect_end(void (*body)(edge_ctx *ctx, void *arg), const char *sql, int status, const char *detail)
{
    struct invocation invocation = {
        .body = body, .arg = (char *)sql, .timeout_ms = status == 504 ? 500 : 20000, .memory_bytes = 2 << 20
    };
    invocation_start(&invocation);
    run_all_invocations();
    assert_int_equal(invocation.status, status);
    if (detail != NULL)
        assert_string_equal(invocation.detail, detail);
    assert_int_equal(ask_int("SELECT count(*) FROM copied"), 0);
    expect_clean_pool();
}

static void failing(void **state)
{
    NEEDS_SERVER(state);
    make_tables();
    struct db_settings one = test_settings(1);
    restart_pool(&one);
    expect_end(copy_bad_row, NULL, 500, "22P02");
    expect_end(copy_and_leave, NULL, 0, NULL);
    expect_end(copy_and_fail, NULL, 409, NULL);
    expect_end(read_and_wait, NULL, 504, NULL);
    expect_end(wait_for_rows, NULL, 504, NULL);
    expect_end(run_copy_sql, "SELECT 1", 500, "the statement is no COPY");
    expect_end(run_copy_sql, "COPY nowhere FROM STDIN", 500, "42P01");
    expect_end(run_copy_sql, "COPY copied FROM STDIN (FORMAT binary)", 500, NULL);
    expect_end(run_copy_sql, "COPY copied TO STDOUT", 500, NULL);
    expect_end(run_copy_sql, "COPY copied FROM PROGRAM 'true'", 500, "42501");
    expect_end(run_out_sql, "COPY copied FROM STDIN", 500, NULL);
    expect_end(
        run_out_sql, "COPY (SELECT 1 / (5000 - i) FROM generate_series(1, 9000) AS i) TO STDOUT", 500, "22012");
    expect_end(run_out_sql, "COPY (SELECT repeat('x', 20000000)) TO STDOUT", 500, NULL);
    expect_end(use_while_copying, NULL, 500, NULL);
    expect_end(lose_in, NULL, 503, NULL);
    expect_end(lose_out, NULL, 503, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copying_in),
        cmocka_unit_test(copying_out),
        cmocka_unit_test(failing),
    };
    return cmocka_run_group_tests(tests, start_pool, stop_pool);
}
