/*
 * Application roles: asked of the database, remembered for a while, and what a raised session may claim.
 */
#include "db_harness.h"

#include <string.h>

static const char *role = "admin";

static void require(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_require_role(ctx, role);
    edge_rows *rows = edge_query(
        ctx, "SELECT coalesce(current_setting('request.jwt.claims')::jsonb ->> 'edge_admin', '') AS raised");
    assert_string_equal(edge_rows_text(rows, 0, "raised"), strcmp(role, "admin") == 0 ? "true" : "");
}

static void passes(const char *user, const char *wanted, uint32_t queries)
{
    role = wanted;
    struct invocation invocation = run_as(user, require, NULL);
    assert_fine(invocation);
    assert_int_equal(invocation.usage.query_count, queries);
}

static void refuses(const char *user, const char *wanted, uint32_t queries)
{
    role = wanted;
    struct invocation invocation = run_as(user, require, NULL);
    assert_int_equal(invocation.status, 403);
    assert_string_equal(invocation.code, "admin_required");
    assert_int_equal(invocation.usage.query_count, queries);
}

static void roles_are_asked_for_once(void **state)
{
    (void)state;
    NEEDS_SERVER(state);
    passes("user_admin", "admin", 2);
    passes("user_admin", "admin", 1);
    passes("user_plain", "user", 2);
    refuses("user_plain", "admin", 1);
    refuses("user_plain", "admin", 0);
    refuses(NULL, "admin", 0);
    refuses("user_unheard_of", "user", 1);
}

static void unknown_roles_are_the_function_s_mistake(void **state)
{
    (void)state;
    NEEDS_SERVER(state);
    role = "emperor";
    struct invocation invocation = run_as("user_admin", require, NULL);
    assert_int_equal(invocation.status, 500);
    assert_string_equal(invocation.code, "internal_error");
}

static void no_answer_is_no_grant(void **state)
{
    (void)state;
    NEEDS_SERVER(state);
    struct db_settings settings = test_settings(1);
    settings.url = "host=/nowhere dbname=none connect_timeout=1";
    restart_pool(&settings);
    role = "admin";
    struct invocation invocation = run_as("user_other", require, NULL);
    assert_int_equal(invocation.status, 503);
    assert_string_equal(invocation.code, "database_unavailable");
    settings = test_settings(1);
    restart_pool(&settings);
    /* And nothing of it was remembered. */
    refuses("user_other", "admin", 1);
}

static int start(void **state)
{
    if (start_pool(state) < 0 || getenv("EDGE_TEST_PG_URL") == NULL)
        return 0;
    run_sql(admin,
        "CREATE TYPE app_role AS ENUM ('admin', 'user');"
        "CREATE TABLE user_roles (user_id text, role app_role);"
        "INSERT INTO user_roles VALUES ('user_admin', 'admin'), ('user_admin', 'user'), ('user_plain', 'user');"
        "CREATE FUNCTION has_role(_user_id text, _role app_role) RETURNS boolean LANGUAGE sql STABLE SECURITY"
        " DEFINER AS 'SELECT EXISTS (SELECT FROM user_roles WHERE user_id = _user_id AND role = _role)'");
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roles_are_asked_for_once),
        cmocka_unit_test(unknown_roles_are_the_function_s_mistake),
        cmocka_unit_test(no_answer_is_no_grant),
    };
    return cmocka_run_group_tests(tests, start, stop_pool);
}
