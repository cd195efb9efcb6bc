/*
 * Queries and who runs them: identity, batches, errors, prepared statements.
 */
#include "db_harness.h"

static const char *text_of(edge_ctx *ctx, edge_rows *rows, const char *column)
{
    (void)ctx;
    return edge_rows_text(rows, 0, column);
}

#define WHO "SELECT current_user AS role, current_setting('request.jwt.claims', true) AS claims"

/* --- what the pool stands on ---------------------------------------------------------------------------- */

static char *answer_text(PGconn *server)
{
    PGresult *result = PQgetResult(server);
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        fail_msg("%s", PQresultErrorMessage(result));
    static char text[256];
    snprintf(text, sizeof text, "%s", PQgetvalue(result, 0, 0));
    PQclear(result);
    assert_null(PQgetResult(server));
    return text;
}

static void send_query(PGconn *server, const char *sql)
{
    assert_true(PQsendQueryParams(server, sql, 0, NULL, NULL, NULL, NULL, 0));
}

/* Between two Syncs everything is one transaction; settings made for it are gone behind the second. */
static void implicit_transaction(void **state)
{
    NEEDS_SERVER(state);
    PGconn *server = PQconnectdb(pool_url);
    assert_int_equal(PQenterPipelineMode(server), 1);
    send_query(server, "SELECT set_config('role', 'authenticated', true), set_config('request.jwt.claims', "
                       "'{\"sub\":\"u\"}', true),"
                       " set_config('statement_timeout', '50', true)");
    send_query(server, "SELECT current_user || current_setting('request.jwt.claims') || txid_current()");
    send_query(server, "SELECT txid_current()");
    send_query(server, "SELECT pg_sleep(1)");
    PQpipelineSync(server);
    send_query(server, "SELECT current_user || coalesce(current_setting('request.jwt.claims', true), '')"
                       " || current_setting('statement_timeout')");
    PQpipelineSync(server);

    answer_text(server);
    char first[256];
    strcpy(first, answer_text(server));
    assert_memory_equal(first, "authenticated{\"sub\":\"u\"}", strlen("authenticated{\"sub\":\"u\"}"));
    assert_string_equal(first + strlen("authenticated{\"sub\":\"u\"}"), answer_text(server));

    PGresult *cancelled = PQgetResult(server);
    assert_string_equal(PQresultErrorField(cancelled, PG_DIAG_SQLSTATE), "57014");
    PQclear(cancelled);
    assert_null(PQgetResult(server));
    PGresult *sync = PQgetResult(server);
    assert_int_equal(PQresultStatus(sync), PGRES_PIPELINE_SYNC);
    PQclear(sync);
    assert_string_equal(answer_text(server), "edge_runtime0");
    PQfinish(server);
}

/* --- identity --------------------------------------------------------------------------------------------- */

static void expect_identity(edge_ctx *ctx, edge_rows *rows, const char *role, const char *claims)
{
    assert_string_equal(text_of(ctx, rows, "role"), role);
    assert_string_equal(text_of(ctx, rows, "claims"), claims);
}

static void ask_as_nobody(edge_ctx *ctx, void *arg)
{
    (void)arg;
    expect_identity(ctx, edge_query(ctx, WHO), "anon", "");
    expect_identity(ctx, edge_service_query(ctx, WHO), "service_role", "");
}

static void ask_as_user(edge_ctx *ctx, void *arg)
{
    const char *role = ctx->identity.admin ? "edge_admin" : "authenticated";
    expect_identity(ctx, edge_query(ctx, WHO), role, arg);
    expect_identity(ctx, edge_service_query(ctx, WHO), "service_role", "");
    EDGE_TRANSACTION(ctx, tx, .isolation = EDGE_SERIALIZABLE, .read_only = true)
    {
        expect_identity(ctx, edge_tx_query(tx, WHO), role, arg);
        expect_identity(ctx, edge_tx_query(tx, WHO), role, arg);
    }
}

static void run_with_claims(const char *claims, bool is_admin, const char *wanted)
{
    struct invocation invocation = {
        .body = ask_as_user,
        .arg = (char *)wanted,
        .user = "user_1",
        .claims = claims,
        .admin = is_admin,
    };
    invocation_start(&invocation);
    run_all_invocations();
    assert_fine(invocation);
}

static void identity(void **state)
{
    NEEDS_SERVER(state);
    struct db_settings one = test_settings(1);
    restart_pool(&one);
    run_with_claims("{\"sub\":\"user_1\",\"org\":\"o\"}", false, "{\"sub\":\"user_1\",\"org\":\"o\"}");
    assert_fine(run_invocation(ask_as_nobody, NULL));
    run_with_claims("{\"sub\":\"user_1\"}", true, "{\"edge_admin\":true,\"sub\":\"user_1\"}");
    run_with_claims(NULL, false, "{\"sub\":\"user_1\"}");
    run_with_claims("{\"sub\":\"user_1\",\"edge_admin\":true}", false, "{\"sub\":\"user_1\"}");
    run_with_claims("{\"sub\":\"user_1\",\"edge\\u005fadmin\":true}", false, "{\"sub\":\"user_1\"}");
    run_with_claims(
        "{\"edge_admin\":false,\"sub\":\"user_1\"}", true, "{\"edge_admin\":true,\"sub\":\"user_1\"}");
}

static void read_notes(edge_ctx *ctx, void *arg)
{
    edge_rows *own = edge_query(ctx, "SELECT body FROM notes ORDER BY body");
    assert_int_equal(edge_rows_count(own), 1);
    assert_string_equal(edge_rows_text(own, 0, "body"), arg);
    assert_int_equal(edge_rows_count(edge_service_query(ctx, "SELECT body FROM notes ORDER BY body")), 2);
    assert_int_equal(edge_rows_affected(edge_query(
                         ctx, "UPDATE notes SET body = body WHERE user_id = $1", edge_text("user_2"))),
        strcmp(arg, "two") == 0 ? 1 : 0);
}

static void read_notes_as_nobody(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_query(ctx, "SELECT body FROM notes");
}

static void row_security(void **state)
{
    NEEDS_SERVER(state);
    run_sql(admin, "CREATE TABLE notes (user_id text, body text); ALTER TABLE notes ENABLE ROW LEVEL SECURITY;"
                   " CREATE POLICY own ON notes TO authenticated"
                   " USING (user_id = current_setting('request.jwt.claims')::jsonb ->> 'sub');"
                   " GRANT ALL ON notes TO authenticated, service_role;"
                   " INSERT INTO notes VALUES ('user_1', 'one'), ('user_2', 'two')");
    for (int i = 0; i < 3; i++) {
        assert_fine(run_as("user_1", read_notes, "one"));
        assert_fine(run_as("user_2", read_notes, "two"));
    }
    struct invocation refused = run_invocation(read_notes_as_nobody, NULL);
    assert_int_equal(refused.status, 500);
    assert_string_equal(refused.code, "internal_error");
    assert_string_equal(refused.detail, "42501");
}

/* --- errors ----------------------------------------------------------------------------------------------- */

static void try_twice(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_error error = { 0 };
    edge_service_query(ctx, "CREATE TABLE IF NOT EXISTS taken (id int PRIMARY KEY)");
    assert_non_null(edge_try_service_query(ctx, &error, "INSERT INTO taken VALUES ($1)", edge_int(1)));
    assert_null(edge_try_service_query(ctx, &error, "INSERT INTO taken VALUES ($1)", edge_int(1)));
    assert_int_equal(error.status, 500);
    assert_string_equal(error.code, "internal_error");
    assert_string_equal(error.detail, "23505");
    assert_null(edge_try_service_query(ctx, &error, "SELEKT 1"));
    assert_string_equal(error.detail, "42601");
    edge_rows *rows[2];
    assert_false(edge_try_service_query_batch(
        ctx, &error, rows, EDGE_SQL("INSERT INTO taken VALUES (2)"), EDGE_SQL("SELECT 1 / $1", edge_int(0))));
    assert_string_equal(error.detail, "22012");
    assert_true(edge_try_query_batch(ctx, &error, rows, EDGE_SQL("SELECT 1"), EDGE_SQL("SELECT 2 AS n")));
    assert_int_equal(edge_rows_int(rows[1], 0, "n"), 2);
    assert_int_equal(edge_rows_int(edge_service_query(ctx, "SELECT count(*) AS n FROM taken"), 0, "n"), 1);
}

static void tried_errors(void **state)
{
    NEEDS_SERVER(state);
    assert_fine(run_invocation(try_twice, NULL));
}

static void violate_deferred(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_error error = { 0 };
    assert_null(
        edge_try_service_query(ctx, &error, "INSERT INTO child VALUES ($1) RETURNING parent", edge_int(7)));
    assert_string_equal(error.detail, "23503");
    assert_int_equal(edge_rows_count(edge_service_query(ctx, "SELECT 1 FROM child")), 0);
}

/* Such an error comes with the Sync, behind rows that looked fine. */
static void deferred_constraint(void **state)
{
    NEEDS_SERVER(state);
    run_sql(admin, "CREATE TABLE parent (id int PRIMARY KEY); CREATE TABLE child (parent int REFERENCES parent"
                   " DEFERRABLE INITIALLY DEFERRED); GRANT ALL ON parent, child TO service_role");
    assert_fine(run_invocation(violate_deferred, NULL));
}

static void leave_begin(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_service_query(ctx, "BEGIN");
}

static void too_many_args(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_arg args[EDGE_MAX_ARGS + 1] = { 0 };
    edge_service_query_args(ctx, "SELECT 1", args, EDGE_MAX_ARGS + 1);
}

static void copy_out(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_service_query(ctx, "COPY (SELECT 1) TO STDOUT");
}

static void copy_in(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_service_query(ctx, "COPY taken FROM STDIN");
}

static void misuse(void **state)
{
    NEEDS_SERVER(state);
    struct db_settings one = test_settings(1);
    restart_pool(&one);
    assert_fine(run_invocation(leave_begin, NULL));
    assert_fine(run_invocation(ask_as_nobody, NULL));
    expect_clean_pool();
    assert_int_equal(run_invocation(too_many_args, NULL).status, 500);
    assert_int_equal(run_invocation(copy_out, NULL).status, 500);
    assert_int_equal(run_invocation(copy_in, NULL).status, 500);
    assert_fine(run_invocation(ask_as_nobody, NULL));
}

/* --- batches ---------------------------------------------------------------------------------------------- */

static void batches(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_rows *rows[3];
    edge_service_query_batch(ctx, rows, EDGE_SQL("SELECT $1 AS v", edge_int(1)), EDGE_SQL("SELECT 'two' AS v"),
        EDGE_SQL("SELECT $1 || $2 AS v", edge_text("thr"), edge_text("ee")));
    assert_int_equal(edge_rows_int(rows[0], 0, "v"), 1);
    assert_string_equal(edge_rows_text(rows[1], 0, "v"), "two");
    assert_string_equal(edge_rows_text(rows[2], 0, "v"), "three");
    assert_int_equal(ctx->usage.query_count, 3);
    assert_true(ctx->usage.db_us > 0);
}

static void failing_batch(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_rows *rows[2];
    edge_service_query_batch(ctx, rows, EDGE_SQL("INSERT INTO batched VALUES (1)"), EDGE_SQL("SELECT 1 / 0"));
}

static void separate_batch(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_rows *rows[4];
    edge_error errors[4];
    edge_statement statements[] = {
        EDGE_SQL("SELECT 1 AS v"),
        EDGE_SQL("SELECT 1 / $1", edge_int(0)),
        EDGE_SQL("SELEKT"),
        EDGE_SQL("SELECT current_user AS v"),
    };
    edge_try_query_all(ctx, rows, errors, statements, 4);
    assert_int_equal(edge_rows_int(rows[0], 0, "v"), 1);
    assert_null(errors[0].code);
    assert_null(rows[1]);
    assert_string_equal(errors[1].detail, "22012");
    assert_null(rows[2]);
    assert_string_equal(errors[2].detail, "42601");
    assert_string_equal(edge_rows_text(rows[3], 0, "v"), "anon");
}

static void several_statements(void **state)
{
    NEEDS_SERVER(state);
    run_sql(admin, "CREATE TABLE batched (i int); GRANT ALL ON batched TO service_role");
    assert_fine(run_invocation(batches, NULL));
    assert_string_equal(run_invocation(failing_batch, NULL).detail, "22012");
    assert_int_equal(ask_int("SELECT count(*) FROM batched"), 0);
    for (int i = 0; i < 3; i++)
        assert_fine(run_invocation(separate_batch, NULL));
}

/* --- prepared statements ---------------------------------------------------------------------------------- */

static void many_statements(edge_ctx *ctx, void *arg)
{
    (void)arg;
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 600; i++) {
            const char *sql = edge_format(ctx, "SELECT %d + $1 AS v", i);
            edge_rows *rows =
                edge_service_query_args(ctx, sql, &(edge_arg){ .type = EDGE_ARG_INT, .integer = 1 }, 1);
            assert_int_equal(edge_rows_int(rows, 0, "v"), i + 1);
        }
    edge_rows *rows = edge_service_query(ctx, "SELECT count(*) AS n FROM pg_prepared_statements");
    assert_in_range(edge_rows_int(rows, 0, "n"), 250, 257);
}

static void read_star(edge_ctx *ctx, void *arg)
{
    edge_rows *rows = edge_service_query(ctx, "SELECT * FROM growing");
    assert_string_equal(edge_json_dump(ctx, edge_rows_json(rows), NULL), arg);
}

static void deallocate(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_service_query(ctx, "DEALLOCATE ALL");
}

static void same_text_other_types(edge_ctx *ctx, void *arg)
{
    (void)arg;
    static const char sql[] = "SELECT pg_typeof($1)::text AS v";
    assert_string_equal(edge_rows_text(edge_query(ctx, sql, edge_int(1)), 0, "v"), "integer");
    assert_string_equal(edge_rows_text(edge_query(ctx, sql, edge_text("1")), 0, "v"), "text");
    assert_string_equal(edge_rows_text(edge_query(ctx, sql, edge_bool(true)), 0, "v"), "boolean");
    assert_string_equal(edge_rows_text(edge_query(ctx, sql, edge_int(1)), 0, "v"), "integer");
}

static void prepared_statements(void **state)
{
    NEEDS_SERVER(state);
    struct db_settings one = test_settings(1);
    restart_pool(&one);
    assert_fine(run_invocation(many_statements, NULL));
    assert_fine(run_invocation(same_text_other_types, NULL));

    /* The schema changes under a statement that is prepared; then somebody forgets all of them. */
    run_sql(admin,
        "CREATE TABLE growing (a int); INSERT INTO growing VALUES (1); GRANT ALL ON growing TO service_role");
    assert_fine(run_invocation(read_star, "[{\"a\":1}]"));
    run_sql(admin, "ALTER TABLE growing ADD COLUMN b text");
    assert_fine(run_invocation(read_star, "[{\"a\":1,\"b\":null}]"));
    assert_fine(run_invocation(deallocate, NULL));
    assert_fine(run_invocation(read_star, "[{\"a\":1,\"b\":null}]"));
}

/* --- several at once -------------------------------------------------------------------------------------- */

static void *child(edge_ctx *ctx, void *arg)
{
    return edge_service_query(ctx, "SELECT $1 * 2 AS v", edge_int((intptr_t)arg));
}

static void children(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_task *tasks[20];
    for (intptr_t i = 0; i < 20; i++)
        tasks[i] = edge_spawn(ctx, child, (void *)i);
    for (int i = 0; i < 20; i++)
        assert_int_equal(edge_rows_int(edge_await(ctx, tasks[i]), 0, "v"), 2 * i);
}

static void many_tasks(void **state)
{
    NEEDS_SERVER(state);
    struct db_settings four = test_settings(4);
    restart_pool(&four);
    assert_fine(run_invocation(children, NULL));
    struct db_stats stats;
    db_get_stats(&stats);
    assert_in_range(stats.open, 1, 4);
    assert_int_equal(stats.waiting, 0);
    assert_int_equal(stats.queries, 20);
    assert_true(stats.reachable);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(implicit_transaction),
        cmocka_unit_test(identity),
        cmocka_unit_test(row_security),
        cmocka_unit_test(tried_errors),
        cmocka_unit_test(deferred_constraint),
        cmocka_unit_test(misuse),
        cmocka_unit_test(several_statements),
        cmocka_unit_test(prepared_statements),
        cmocka_unit_test(many_tasks),
    };
    return cmocka_run_group_tests(tests, start_pool, stop_pool);
}
