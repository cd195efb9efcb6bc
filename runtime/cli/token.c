/*
 * edge token: a session token of the development issuer.
 */
#include "cli/command.h"
#include "cli/development_environment.h"
#include "cli/development_token.h"
#include "config/config.h"
#include "config/units.h"

#include <libpq-fe.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    USER_MAX = 255
};

/* Runs a statement with one or two text parameters; false when it fails, which is said. */
static bool execute(PGconn *connection, const char *sql, int count, const char *const *values)
{
    PGresult *result = PQexecParams(connection, sql, count, NULL, values, NULL, NULL, 0);
    ExecStatusType status = PQresultStatus(result);
    bool done = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    if (!done)
        fprintf(stderr, "edge: the role is not stored: %s", PQerrorMessage(connection));
    PQclear(result);
    return done;
}

/*
 * What makes somebody an administrator is a row of user_roles, not a claim. A user without a profile gets one,
 * as the row needs it.
 */
static bool role_store(PGconn *connection, const char *user, const char *role)
{
    return execute(connection, "BEGIN", 0, NULL) &&
           execute(connection, "SET LOCAL ROLE service_role", 0, NULL) &&
           execute(
               connection, "INSERT INTO public.profiles (id) VALUES ($1) ON CONFLICT DO NOTHING", 1, &user) &&
           execute(connection,
               "INSERT INTO public.user_roles (user_id, role) VALUES ($1, $2::public.app_role)"
               " ON CONFLICT DO NOTHING",
               2, (const char *[]){ user, role }) &&
           execute(connection, "COMMIT", 0, NULL);
}

/* False when the database refuses; a database that is not there is no failure, only worth saying. */
static bool role_grant(const struct config *config, const char *user, const char *role)
{
    if (config->database.url == NULL) {
        fputs("edge: no database is configured, so the role is not stored\n", stderr);
        return true;
    }
    PGconn *connection = PQconnectdb(config->database.url);
    bool stored = true;
    if (PQstatus(connection) == CONNECTION_OK)
        stored = role_store(connection, user, role);
    else
        fprintf(stderr, "edge: the role is not stored: %s", PQerrorMessage(connection));
    PQfinish(connection);
    return stored;
}

static int token_print(const struct config *config, const char *user, const char *role, int64_t lifetime_ms)
{
    if (role != NULL && !role_grant(config, user, role))
        return STATUS_FAILED;
    char *token = development_token(config, user, lifetime_ms);
    if (token == NULL)
        return STATUS_FAILED;
    puts(token);
    free(token);
    return STATUS_DONE;
}

static int run(int argc, char **argv)
{
    const char *path = "functions.toml", *user = NULL, *role = NULL, *expires = "1h";
    const struct cli_option options[] = {
        { "user", "ID", "whose token: user_demo", .text = &user },
        { "role", "ROLE", "admin or user: stored in user_roles when the database is reachable", .text = &role },
        { "expires", "DURATION", "how long it is valid (1h)", .text = &expires },
        { "config", "FILE", "the configuration (functions.toml)", .text = &path },
        { 0 },
    };
    int status = options_read(&token_command, options, argc, argv);
    if (status != OPTIONS_READ)
        return status;

    int64_t lifetime_ms;
    if (user == NULL || *user == '\0' || strlen(user) > USER_MAX)
        return usage_error(&token_command, "--user is needed: an id of 1 to %d characters", USER_MAX);
    if (role != NULL && strcmp(role, "admin") != 0 && strcmp(role, "user") != 0)
        return usage_error(&token_command, "--role is \"%s\", neither admin nor user", role);
    if (!duration_parse(expires, &lifetime_ms) || lifetime_ms < 1000)
        return usage_error(
            &token_command, "--expires is \"%s\", not a duration as 30s, 10min, 1h or 7d", expires);

    struct config *config;
    if (!development_config_open(path, &config))
        return STATUS_FAILED;
    status = token_print(config, user, role, lifetime_ms);
    config_free(config);
    return status;
}

const struct command token_command = {
    .name = "token",
    .summary = "Print a session token of the development issuer",
    .details =
        "Only a host whose [auth] development_key is the same key accepts it. `edge dev` makes that key; a\n"
        "configuration of your own may name a file for it.\n",
    .examples = "  edge token --user user_demo\n"
                "  edge token --user user_admin --role admin --expires 8h\n",
    .run = run,
};
