/*
 * The server goes away under load and comes back: 503 meanwhile, served again within a second of its return.
 *
 * Runs a server of its own, so it needs the server's programs: EDGE_TEST_PG_BIN, or Debian's place for them.
 */
#include "db_harness.h"

#include <pwd.h>
#include <sys/stat.h>

static char home[] = "/tmp/edge_outage_XXXXXX";
static bool have_server;

static const char *programs(void)
{
    const char *directory = getenv("EDGE_TEST_PG_BIN");
    return directory != NULL ? directory : "/usr/lib/postgresql/15/bin";
}

/* Runs one of the server's programs, which refuse to be run by root. */
static int run_program(const char *format, const char *program, const char *arguments)
{
    char command[1024], line[1200];
    snprintf(command, sizeof command, format, programs(), program, home, arguments, home);
    snprintf(line, sizeof line, geteuid() == 0 ? "runuser -u postgres -- %s" : "%s", command);
    return system(line);
}

#define PROGRAM "%s/%s -D %s/data %s >> %s/log 2>&1"

static int make_server(void **state)
{
    (void)state;
    char path[256];
    snprintf(path, sizeof path, "%s/pg_ctl", programs());
    if (access(path, X_OK) < 0 || mkdtemp(home) == NULL)
        return 0;
    const struct passwd *owner = getpwnam("postgres");
    if (geteuid() == 0 && (owner == NULL || chown(home, owner->pw_uid, owner->pw_gid) < 0))
        return 0;
    if (run_program(PROGRAM, "initdb", "-U postgres -A trust -E UTF8 --locale=C") != 0)
        return 0;
    snprintf(path, sizeof path, "-w -o \"-c listen_addresses= -k %s -F\" start", home);
    have_server = run_program(PROGRAM, "pg_ctl", path) == 0;

    char url[512];
    snprintf(url, sizeof url, "host=%s user=postgres dbname=postgres", home);
    setenv("EDGE_TEST_PG_URL", url, 1);
    if (!have_server || start_pool(NULL) < 0)
        return 0;
    struct db_settings settings = test_settings(4);
    settings.acquire_timeout_ms = 5000;
    restart_pool(&settings);
    return 0;
}

static int remove_server(void **state)
{
    (void)state;
    if (!have_server)
        return 0;
    harness_stop();
    PQfinish(admin);
    run_program(PROGRAM, "pg_ctl", "-m immediate stop");
    char command[256];
    snprintf(command, sizeof command, "rm -rf %s", home);
    return system(command);
}

/* --- load ------------------------------------------------------------------------------------------------- */

enum {
    CLIENTS = 20
};

static struct invocation clients[CLIENTS];
static int served, unavailable, other;

static void work(edge_ctx *ctx, void *arg)
{
    (void)arg;
    edge_service_query(ctx, "SELECT pg_sleep(0.001)");
    EDGE_TRANSACTION(ctx, tx, .service = true)
    {
        edge_tx_query(tx, "SELECT $1", edge_int(1));
        edge_tx_send(tx, "SELECT 2");
    }
}

/* Keeps all clients at work for a time, and counts how they end. */
static void load_for_ms(int64_t milliseconds)
{
    served = unavailable = other = 0;
    int64_t end_us = clock_us() + milliseconds * 1000;
    while (clock_us() < end_us) {
        for (int i = 0; i < CLIENTS; i++) {
            if (clients[i].ctx != NULL)
                continue;
            if (clients[i].ended && !clients[i].failed)
                served++;
            else if (clients[i].ended && strcmp(clients[i].code, "database_unavailable") == 0)
                unavailable++;
            else if (clients[i].ended)
                other++;
            clients[i] = (struct invocation){ .body = work };
            invocation_start(&clients[i]);
        }
        turn_for_ms(2);
    }
}

static bool server_answers(void)
{
    char url[512];
    snprintf(url, sizeof url, "host=%s user=postgres dbname=postgres", home);
    return PQping(url) == PQPING_OK;
}

static void outage(const char *how)
{
    load_for_ms(200);
    assert_true(served > 0);
    assert_int_equal(unavailable + other, 0);

    char stop[64];
    snprintf(stop, sizeof stop, "-m %s stop", how);
    assert_int_equal(run_program(PROGRAM, "pg_ctl", stop), 0);
    load_for_ms(50); /* what had ended before, and what was cut off */
    load_for_ms(1500);
    assert_int_equal(served, 0);
    assert_true(unavailable > 20);
    assert_int_equal(other, 0);
    struct db_stats stats;
    db_get_stats(&stats);
    assert_false(stats.reachable);
    assert_int_equal(stats.waiting, 0);

    char start[256];
    snprintf(start, sizeof start, "-W -o \"-c listen_addresses= -k %s -F\" start", home);
    assert_int_equal(run_program(PROGRAM, "pg_ctl", start), 0);
    while (!server_answers())
        load_for_ms(10);
    int64_t back_us = clock_us();
    for (served = 0; served == 0;)
        load_for_ms(10);
    print_message(
        "%s: served again %d ms after the server's return\n", how, (int)((clock_us() - back_us) / 1000));
    assert_true(clock_us() - back_us < 1000000);
    load_for_ms(50);
    load_for_ms(300);
    assert_int_equal(unavailable + other, 0);
    db_get_stats(&stats);
    assert_true(stats.reachable);
}

static void killed_and_restarted(void **state)
{
    (void)state;
    if (!have_server)
        skip();
    outage("immediate");
    outage("fast");
    outage("immediate");
    run_all_invocations();
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(killed_and_restarted) };
    return cmocka_run_group_tests(tests, make_server, remove_server);
}
