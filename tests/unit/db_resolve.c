/*
 * Hosts of a database URL: what needs a look-up, and what libpq is told instead of names.
 */
#include "db_harness.h"

#include "db/resolve.h"

static void what_needs_a_look_up(void **state)
{
    (void)state;
    assert_true(resolve_needed("postgresql://db.example.com/app"));
    assert_true(resolve_needed("host=10.0.0.1,db2 dbname=app"));
    assert_false(resolve_needed("postgresql:///app?host=/run/postgresql"));
    assert_false(resolve_needed("postgresql://127.0.0.1:5432/app"));
    assert_false(resolve_needed("postgresql://[::1]/app"));
    assert_false(resolve_needed("host=db.example.com hostaddr=10.0.0.1"));
    assert_false(resolve_needed("dbname=app"));
    assert_false(resolve_needed("no url"));
}

static size_t items(const char *list)
{
    size_t count = 1;
    for (; *list != '\0'; list++)
        count += *list == ',';
    return count;
}

static void lists_of_equal_length(void **state)
{
    (void)state;
    struct resolved resolved;
    assert_int_equal(resolve_url("host=localhost,/tmp,10.0.0.1 port=1,2,3", &resolved), 0);
    assert_memory_equal(resolved.host, "localhost", strlen("localhost"));
    assert_non_null(strstr(resolved.host, ",/tmp,10.0.0.1"));
    assert_non_null(strstr(resolved.hostaddr, ",,10.0.0.1"));
    assert_non_null(strstr(resolved.port, ",2,3"));
    assert_int_equal(items(resolved.host), items(resolved.hostaddr));
    assert_int_equal(items(resolved.host), items(resolved.port));
    resolved_free(&resolved);

    /* One port goes for all; a name without an address is left out as long as there is another host. */
    assert_int_equal(resolve_url("host=nobody.invalid,10.0.0.1 port=6000", &resolved), 0);
    assert_string_equal(resolved.hostaddr, "10.0.0.1");
    assert_string_equal(resolved.port, "6000");
    resolved_free(&resolved);

    assert_int_not_equal(resolve_url("host=nobody.invalid", &resolved), 0);
    resolved_free(&resolved);
}

static void ask(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_service_query(ctx, "SELECT 1");
}

/* A name that leads nowhere fails the query; looking it up holds nobody else up. */
static void unknown_host(void **state)
{
    (void)state;
    struct db_settings settings = test_settings(2);
    settings.url = "postgresql://nobody.invalid/app";
    settings.acquire_timeout_ms = 20000;
    harness_start(&settings);
    struct invocation invocation = { .body = ask };
    int64_t started_us = clock_us();
    invocation_start(&invocation);
    assert_true(clock_us() - started_us < 50000);
    run_all_invocations();
    assert_string_equal(invocation.code, "database_unavailable");
    harness_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_needs_a_look_up),
        cmocka_unit_test(lists_of_equal_length),
        cmocka_unit_test(unknown_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
