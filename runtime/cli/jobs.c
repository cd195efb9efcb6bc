/*
 * edge jobs: what the queue of durable jobs holds, and what to do about those that failed.
 */
#include "cli/command.h"
#include "cli/development_environment.h"
#include "cli/json_print.h"
#include "cli/table.h"
#include "config/config.h"

#include <jansson.h>
#include <libpq-fe.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LIST_MAX = 10000,
    SHOWN_ERROR = 60
};

/* What a call of the command says. */
struct request {
    const char *config_path, *state, *function, *limit, *id;
    bool dead, json;
};

static bool config_with_database(const char *path, struct config **config)
{
    if (!config_open(path, config))
        return false;
    if ((*config)->database.url != NULL)
        return true;
    config_free(*config);
    *config = NULL;
    if (development_environment_load(path))
        return config_open(path, config);
    failure("no database is configured in \"%s\". Set DATABASE_URL", path);
    return false;
}

static void drop_notice(void *arg, const char *message)
{
    (void)arg, (void)message;
}

/* NULL after saying why. */
static PGconn *server_connect(const struct config *config)
{
    const char *const keywords[] = { "fallback_application_name", "connect_timeout", "dbname", NULL };
    const char *const values[] = { "edge jobs", "10", config->database.url, NULL };
    PGconn *server = PQconnectdbParams(keywords, values, 1);
    if (PQstatus(server) != CONNECTION_OK) {
        failure("the database cannot be reached: %s", PQerrorMessage(server));
        PQfinish(server);
        return NULL;
    }
    PQsetNoticeProcessor(server, drop_notice, NULL);
    return server;
}

/* As the service, in one transaction, so that a pooler may be in between. NULL after saying why. */
static PGresult *ask(PGconn *server, const char *sql, const char *const *values, int count)
{
    PQclear(PQexec(server, "BEGIN; SET LOCAL ROLE service_role"));
    PGresult *result = PQexecParams(server, sql, count, NULL, values, NULL, NULL, 0);
    if (PQresultStatus(result) == PGRES_TUPLES_OK) {
        PGresult *committed = PQexec(server, "COMMIT");
        bool kept = PQresultStatus(committed) == PGRES_COMMAND_OK;
        PQclear(committed);
        if (kept)
            return result;
    }
    failure("the database refused: %s", PQerrorMessage(server));
    PQclear(result);
    return NULL;
}

/* --- list --- */

#define LIST_SQL                                                                                               \
    "SELECT id, function, state, attempts, max_attempts, run_at, created_at, finished_at, locked_by,"          \
    " last_error, payload FROM (SELECT *,"                                                                     \
    " CASE WHEN finished_at IS NOT NULL AND last_error IS NOT NULL THEN 'dead'"                                \
    " WHEN finished_at IS NOT NULL THEN 'done'"                                                                \
    " WHEN locked_until > clock_timestamp() THEN 'running'"                                                    \
    " WHEN run_at > clock_timestamp() THEN 'waiting' ELSE 'due' END AS state FROM edge.jobs) AS job"           \
    " WHERE ($1 = 'all' OR state = $1 OR ($1 = 'open' AND finished_at IS NULL))"                               \
    " AND ($2::text IS NULL OR function = $2) ORDER BY id DESC LIMIT $3::int"

static void print_json(PGresult *jobs)
{
    json_t *list = json_array();
    for (int row = 0; row < PQntuples(jobs); row++) {
        json_t *job = json_object();
        for (int column = 0; column < PQnfields(jobs); column++) {
            const char *name = PQfname(jobs, column), *text = PQgetvalue(jobs, row, column);
            bool number = column == 0 || strstr(name, "attempts") != NULL;
            json_t *value = PQgetisnull(jobs, row, column) ? json_null()
                            : number                       ? json_integer(strtoll(text, NULL, 10))
                            : strcmp(name, "payload") == 0 ? json_loads(text, JSON_DECODE_ANY, NULL)
                                                           : json_string(text);
            json_object_set_new(job, name, value);
        }
        json_array_append_new(list, job);
    }
    json_print_indented(stdout, list);
    putchar('\n');
    json_decref(list);
}

static void print_table(PGresult *jobs)
{
    static const char *const heading[] = { "ID", "FUNCTION", "STATE", "ATTEMPTS", "RUN AT", "LAST ERROR" };
    struct table table = { .columns = sizeof heading / sizeof *heading };
    table_add(&table, heading);
    for (int row = 0; row < PQntuples(jobs); row++) {
        char attempts[32], shown[SHOWN_ERROR + 4];
        snprintf(attempts, sizeof attempts, "%s/%s", PQgetvalue(jobs, row, 3), PQgetvalue(jobs, row, 4));
        const char *error = PQgetvalue(jobs, row, 9);
        snprintf(shown, sizeof shown, "%.*s%s", SHOWN_ERROR, *error != '\0' ? error : "-",
            strlen(error) > SHOWN_ERROR ? "…" : "");
        table_add(&table, (const char *[]){ PQgetvalue(jobs, row, 0), PQgetvalue(jobs, row, 1),
                              PQgetvalue(jobs, row, 2), attempts, PQgetvalue(jobs, row, 5), shown });
    }
    table_print(&table);
}

static int list(PGconn *server, const struct request *request)
{
    int limit;
    if (!count_parse(request->limit, LIST_MAX, &limit))
        return usage_error(&jobs_command, "\"%s\" is no number from 1 to %d", request->limit, LIST_MAX);
    const char *const values[] = { request->state, request->function, request->limit };
    PGresult *jobs = ask(server, LIST_SQL, values, 3);
    if (jobs == NULL)
        return STATUS_FAILED;
    if (request->json)
        print_json(jobs);
    else if (PQntuples(jobs) > 0)
        print_table(jobs);
    else
        printf("no jobs\n");
    PQclear(jobs);
    return STATUS_DONE;
}

/* --- retry and drop --- */

/* A job that is running is its worker's: it can be neither begun a second time nor taken away. */
#define CHOSEN                                                                                                 \
    " WHERE (locked_until IS NULL OR locked_until <= clock_timestamp())"                                       \
    " AND CASE WHEN $1::bigint IS NULL THEN finished_at IS NOT NULL AND last_error IS NOT NULL"                \
    " ELSE id = $1 END AND ($2::text IS NULL OR function = $2) RETURNING id"

static int change(PGconn *server, const struct request *request, const char *sql, const char *done)
{
    int id;
    if ((request->id == NULL) != request->dead)
        return usage_error(&jobs_command, "say which: an id, or --dead for all that have failed for good");
    if (request->id != NULL && !count_parse(request->id, INT32_MAX, &id))
        return usage_error(&jobs_command, "\"%s\" is no job's id", request->id);
    const char *const values[] = { request->id, request->function };
    PGresult *changed = ask(server, sql, values, 2);
    if (changed == NULL)
        return STATUS_FAILED;
    int count = PQntuples(changed);
    PQclear(changed);
    if (count == 0 && request->id != NULL)
        return failure("there is no job %s, or it is running", request->id);
    if (request->json)
        printf("{\"%s\": %d}\n", done, count);
    else
        printf("%d %s\n", count, done);
    return STATUS_DONE;
}

static int retry(PGconn *server, const struct request *request)
{
    return change(server, request,
        "UPDATE edge.jobs SET finished_at = NULL, attempts = 0, run_at = clock_timestamp(),"
        " locked_by = NULL, locked_until = NULL" CHOSEN,
        "retried");
}

static int drop(PGconn *server, const struct request *request)
{
    return change(server, request, "DELETE FROM edge.jobs" CHOSEN, "dropped");
}

/* --- the command --- */

static const struct action {
    const char *name;
    int (*run)(PGconn *server, const struct request *request);
} actions[] = { { "list", list }, { "retry", retry }, { "drop", drop } };

static const struct action *action_find(const char *name)
{
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++)
        if (name != NULL && strcmp(actions[i].name, name) == 0)
            return &actions[i];
    return NULL;
}

static bool state_valid(const char *state)
{
    static const char *const states[] = { "all", "open", "due", "waiting", "running", "dead", "done", NULL };
    for (const char *const *one = states; *one != NULL; one++)
        if (strcmp(*one, state) == 0)
            return true;
    return false;
}

static int run(int argc, char **argv)
{
    struct request request = { .config_path = "functions.toml", .state = "open", .limit = "50" };
    const struct cli_option options[] = {
        { "config", "FILE", "the configuration (functions.toml)", .text = &request.config_path },
        { "state", "STATE", "list: all, open (default), due, waiting, running, dead or done",
            .text = &request.state },
        { "function", "NAME", "only jobs of this function", .text = &request.function },
        { "limit", "COUNT", "list: the newest ones (50)", .text = &request.limit },
        { "dead", NULL, "retry, drop: all that have failed for good", .flag = &request.dead },
        { "json", NULL, "print JSON", .flag = &request.json },
        { NULL, "list|retry|drop [ID]", "what to do, and with which job", .text = &request.id },
        { 0 },
    };
    const struct action *action = action_find(argc > 1 ? argv[1] : NULL);
    int skipped = action != NULL ? 1 : 0;
    int status = options_read(&jobs_command, options, argc - skipped, argv + skipped);
    if (status != OPTIONS_READ)
        return status;
    if (action == NULL)
        return usage_error(&jobs_command, "say what to do: list, retry or drop");
    if (!state_valid(request.state))
        return usage_error(&jobs_command, "\"%s\" is no state of a job", request.state);

    struct config *config;
    if (!config_with_database(request.config_path, &config))
        return STATUS_FAILED;
    PGconn *server = server_connect(config);
    status = server != NULL ? action->run(server, &request) : STATUS_FAILED;
    PQfinish(server);
    config_free(config);
    return status;
}

const struct command jobs_command = {
    .name = "jobs",
    .summary = "List durable jobs; retry or drop those that failed",
    .details =
        "Jobs that have failed for good are dead: they keep their last error for 7 days. retry begins one\n"
        "anew with all its attempts, drop forgets it. A job that is running can be neither.\n"
        "A schedule's minute is a job whose payload is that minute.\n",
    .examples = "  edge jobs list --state dead --json\n"
                "  edge jobs retry 4711\n"
                "  edge jobs drop --dead --function sendReceipt\n",
    .run = run,
};
