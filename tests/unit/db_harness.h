/*
 * Running invocations against a real server without a host: one loop, one pool, as many contexts as a test
 * wants, in a database of its own.
 *
 * EDGE_TEST_PG_URL names a superuser on a server made for tests; without it the tests are skipped. The pool
 * logs in as edge_runtime, as the host does.
 */
#ifndef DB_HARNESS_H
#define DB_HARNESS_H

#include <context.h>
#include <db.h>
#include <log.h>

#include <edge/edge.h>

#include <ev.h>
#include <libpq-fe.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* One invocation of a test and how it ended. */
struct invocation {
    void (*body)(edge_ctx *ctx, void *arg);
    void *arg;
    const char *user, *claims; /* signed in as; NULL: nobody */
    bool admin;
    int64_t timeout_ms;
    size_t memory_bytes;
    edge_ctx *ctx;
    bool ended, failed;
    int status;
    char code[64], detail[256];
    struct usage usage;
};

static struct ev_loop *loop;
static int running;

static inline void invocation_main(edge_ctx *ctx)
{
    struct invocation *invocation = ctx->host;
    invocation->body(ctx, invocation->arg);
}

static inline void invocation_finished(edge_ctx *ctx)
{
    struct invocation *invocation = ctx->host;
    invocation->usage = ctx->usage;
    invocation->failed = ctx->failure != NULL;
    if (ctx->failure == NULL)
        return;
    invocation->status = ctx->failure->status;
    strncpy(invocation->code, ctx->failure->code, sizeof invocation->code - 1);
    if (ctx->failure->detail != NULL)
        strncpy(invocation->detail, ctx->failure->detail, sizeof invocation->detail - 1);
}

static inline void invocation_released(edge_ctx *ctx)
{
    struct invocation *invocation = ctx->host;
    invocation->ended = true;
    invocation->ctx = NULL;
    running--;
    ev_break(loop, EVBREAK_ONE);
}

static inline void invocation_start(struct invocation *invocation)
{
    static const struct context_ops ops = {
        .main = invocation_main,
        .finished = invocation_finished,
        .released = invocation_released,
    };
    const struct context_setup setup = {
        .ops = &ops,
        .host = invocation,
        .name = "test",
        .generation = "0",
        .memory_bytes = invocation->memory_bytes != 0 ? invocation->memory_bytes : 32 * 1024 * 1024,
        .timeout_ms = invocation->timeout_ms,
    };
    edge_ctx *ctx = context_create(&setup);
    assert_non_null(ctx);
    invocation->ctx = ctx;
    if (invocation->user != NULL) {
        ctx->identity.caller = EDGE_CALLER_USER;
        ctx->identity.user = invocation->user;
        ctx->identity.claims_json = invocation->claims;
        ctx->identity.admin = invocation->admin;
    }
    running++;
    context_run(ctx);
}

/* Turns the loop until every invocation has ended; an end breaks the turn off, or it would block. */
static inline void run_all_invocations(void)
{
    while (running > 0)
        ev_run(loop, EVRUN_ONCE);
}

static inline void stop_turning(struct ev_loop *turning, ev_timer *timer, int events)
{
    (void)timer, (void)events;
    ev_break(turning, EVBREAK_ONE);
}

static inline void turn_for_ms(int64_t milliseconds)
{
    ev_timer timer;
    ev_now_update(loop);
    ev_timer_init(&timer, stop_turning, (double)milliseconds / 1000, 0);
    ev_timer_start(loop, &timer);
    ev_run(loop, 0);
    ev_timer_stop(loop, &timer);
}

/* Runs one invocation to its end as nobody, and as a user. */
static inline struct invocation run_invocation(void (*body)(edge_ctx *ctx, void *arg), void *arg)
{
    struct invocation invocation = { .body = body, .arg = arg };
    invocation_start(&invocation);
    run_all_invocations();
    return invocation;
}

static inline struct invocation run_as(const char *user, void (*body)(edge_ctx *ctx, void *arg), void *arg)
{
    struct invocation invocation = { .body = body, .arg = arg, .user = user };
    invocation_start(&invocation);
    run_all_invocations();
    return invocation;
}

static inline void assert_fine(struct invocation invocation)
{
    if (invocation.failed)
        fail_msg("ended with %d %s: %s", invocation.status, invocation.code, invocation.detail);
}

static char database_name[64];
static PGconn *admin; /* a superuser's session in the test's database */

/* The test server's address with another database and login. */
static inline void make_url(char url[1024], const char *database, const char *user)
{
    PQconninfoOption *options = PQconninfoParse(getenv("EDGE_TEST_PG_URL"), NULL);
    assert_non_null(options);
    int length = snprintf(url, 1024, "dbname='%s'", database);
    for (PQconninfoOption *option = options; option->keyword != NULL; option++) {
        const char *value = option->val;
        if (strcmp(option->keyword, "user") == 0 && user != NULL)
            value = user;
        if (value != NULL && strcmp(option->keyword, "dbname") != 0)
            length += snprintf(url + length, 1024 - (size_t)length, " %s='%s'", option->keyword, value);
    }
    PQconninfoFree(options);
}

static inline void run_sql(PGconn *server, const char *sql)
{
    PGresult *result = PQexec(server, sql);
    ExecStatusType status = PQresultStatus(result);
    PQclear(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(server));
}

/* First value of a query as the superuser. */
static inline int ask_int(const char *sql)
{
    PGresult *result = PQexec(admin, sql);
    if (PQresultStatus(result) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", sql, PQerrorMessage(admin));
    int value = atoi(PQgetvalue(result, 0, 0));
    PQclear(result);
    return value;
}

/* Several programs may make the roles at once: what another one has made is fine. */
#define ROLES_SQL                                                                                              \
    "DO $$ DECLARE command text; BEGIN"                                                                        \
    " FOREACH command IN ARRAY ARRAY['CREATE ROLE anon NOLOGIN NOINHERIT',"                                    \
    " 'CREATE ROLE authenticated NOLOGIN NOINHERIT', 'CREATE ROLE service_role NOLOGIN NOINHERIT BYPASSRLS',"  \
    " 'CREATE ROLE edge_admin NOLOGIN INHERIT', 'CREATE ROLE edge_runtime LOGIN NOINHERIT',"                   \
    " 'GRANT authenticated TO edge_admin', 'GRANT anon, authenticated, edge_admin, service_role TO"            \
    " edge_runtime'] LOOP BEGIN EXECUTE command;"                                                              \
    " EXCEPTION WHEN duplicate_object OR unique_violation OR internal_error THEN NULL; END; END LOOP; END $$"

static inline void create_database(void)
{
    PGconn *server = PQconnectdb(getenv("EDGE_TEST_PG_URL"));
    if (PQstatus(server) != CONNECTION_OK)
        fail_msg("EDGE_TEST_PG_URL: %s", PQerrorMessage(server));
    char sql[128], url[1024];
    snprintf(database_name, sizeof database_name, "edge_unit_%d", (int)getpid());
    snprintf(sql, sizeof sql, "CREATE DATABASE %s", database_name);
    run_sql(server, sql);
    PQfinish(server);

    make_url(url, database_name, NULL);
    admin = PQconnectdb(url);
    assert_int_equal(PQstatus(admin), CONNECTION_OK);
    run_sql(admin, "SET client_min_messages = error; " ROLES_SQL);
    run_sql(admin, "GRANT USAGE, CREATE ON SCHEMA public TO authenticated, service_role; GRANT USAGE ON SCHEMA "
                   "public TO anon");
}

static inline void drop_database(void)
{
    PQfinish(admin);
    PGconn *server = PQconnectdb(getenv("EDGE_TEST_PG_URL"));
    char sql[128];
    snprintf(sql, sizeof sql, "DROP DATABASE IF EXISTS %s WITH (FORCE)", database_name);
    run_sql(server, sql);
    PQfinish(server);
}

static inline void harness_start(const struct db_settings *settings)
{
    loop = ev_default_loop(0);
    arena_attach_jansson();
    log_open(STDERR_FILENO, LOG_TEXT, getenv("EDGE_TEST_LOG") != NULL ? EDGE_LOG_DEBUG : EDGE_LOG_ERROR + 1);
    fiber_system_start(loop, 256 * 1024);
    assert_int_equal(db_start(loop, settings), 0);
}

static inline void harness_stop(void)
{
    db_stop();
    fiber_system_stop();
}

static char pool_url[1024];

/* The pool of a test: short waits. */
static inline struct db_settings test_settings(int pool_max)
{
    return (struct db_settings){
        .url = pool_url,
        .pool_max = pool_max,
        .acquire_timeout_ms = 300,
        .statement_timeout_ms = 10000,
    };
}

/* Another pool for the rest of a test. */
static inline void restart_pool(const struct db_settings *settings)
{
    db_stop();
    assert_int_equal(db_start(loop, settings), 0);
}

static inline int start_pool(void **state)
{
    (void)state;
    if (getenv("EDGE_TEST_PG_URL") == NULL)
        return 0;
    create_database();
    make_url(pool_url, database_name, "edge_runtime");
    struct db_settings settings = test_settings(4);
    harness_start(&settings);
    return 0;
}

static inline int stop_pool(void **state)
{
    (void)state;
    if (getenv("EDGE_TEST_PG_URL") == NULL)
        return 0;
    harness_stop();
    drop_database();
    return 0;
}

/*
 * Cancelling and rolling back go on after an invocation has ended; what counts is that nothing of it is left
 * soon, here and on the server.
 */
static inline void expect_clean_pool(void)
{
    struct db_stats stats;
    int active = 0;
    for (int i = 0; i < 100; i++) {
        db_get_stats(&stats);
        active = ask_int("SELECT count(*) FROM pg_stat_activity WHERE usename = 'edge_runtime'"
                         " AND datname = current_database() AND state <> 'idle'");
        if (stats.busy == 0 && active == 0)
            break;
        turn_for_ms(20);
    }
    assert_int_equal(stats.busy, 0);
    assert_int_equal(stats.waiting, 0);
    assert_int_equal(active, 0);
}

#define NEEDS_SERVER(state)                                                                                    \
    do {                                                                                                       \
        (void)(state);                                                                                         \
        if (getenv("EDGE_TEST_PG_URL") == NULL)                                                                \
            skip();                                                                                            \
    } while (0)

#endif
