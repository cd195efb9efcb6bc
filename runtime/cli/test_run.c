/*
 * What tests run against; see test_run.h.
 */
#include "cli/test_run.h"

#include "cli/command.h"
#include "cli/development_environment.h"
#include "cli/process.h"
#include "config/config.h"

#include <libpq-fe.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    START_TIMEOUT_MS = 60000,
    STOP_TIMEOUT_MS = 15000
};

#define TEST_DATABASE "edge_test"

static void drop_notice(void *arg, const char *message)
{
    (void)arg, (void)message;
}

/* A new copy of the migrated database, which is left as it is: tests may write what they like. */
static bool database_copy(struct test_run *run)
{
    PGconn *owner = PQconnectdb(run->database.postgres.owner_url);
    PQsetNoticeProcessor(owner, drop_notice, NULL);
    PGresult *dropped = PQexec(owner, "DROP DATABASE IF EXISTS " TEST_DATABASE " WITH (FORCE)");
    PQclear(dropped);
    char *template = PQstatus(owner) == CONNECTION_OK ? strdup(PQdb(owner)) : NULL;
    PQfinish(owner);
    if (template == NULL)
        return failure("the test database cannot be reached") == STATUS_DONE;

    /* From elsewhere: a database somebody is connected to cannot be copied. */
    char url[PATH_MAX + 128], statement[256];
    snprintf(
        url, sizeof url, "postgresql://postgres@/postgres?host=%s&port=5432", run->database.postgres.home.run);
    snprintf(statement, sizeof statement, "CREATE DATABASE " TEST_DATABASE " TEMPLATE %s", template);
    free(template);
    PGconn *server = PQconnectdb(url);
    PGresult *made = PQexec(server, statement);
    bool done = PQresultStatus(made) == PGRES_COMMAND_OK;
    if (!done)
        failure("the test database cannot be made: %s", PQerrorMessage(server));
    PQclear(made);
    PQfinish(server);
    return done;
}

bool test_database_start(struct test_run *run)
{
    char *directory = development_path(run->path, "test"), *edge = development_path(run->path, "");
    bool made = (mkdir(edge, 0755) == 0 || errno == EEXIST) && (mkdir(directory, 0755) == 0 || errno == EEXIST);
    if (!made)
        failure("cannot make \"%s\": %s", directory, strerror(errno));
    run->database.embedded = true;
    made = made && postgres_home_open(&run->database.postgres.home, directory);
    free(directory);
    free(edge);
    if (!made || !dev_database_start(&run->database, run->config, &run->environment, false))
        return false;
    run->has_database = true;
    char url[PATH_MAX + 128];
    snprintf(url, sizeof url, "postgresql://edge_runtime@/" TEST_DATABASE "?host=%s&port=5432",
        run->database.postgres.home.run);
    environment_file_set(&run->environment, "DATABASE_URL", url);
    return database_copy(run);
}

/* Everything that `edge dev` gives its host, at places of its own. */
static bool environment_apply(struct test_run *run)
{
    char *edge = development_path(run->path, ""), *directory = development_path(run->path, "test");
    char *key = development_path(run->path, "test/jwt_key.pem"),
         *sandbox = development_path(run->path, "test/sandbox");
    mkdir(edge, 0755); /* made with the database, where there is one */
    mkdir(directory, 0755);
    free(edge);
    development_environment_fill(&run->environment, run->config, "http://127.0.0.1:9");
    environment_file_set(&run->environment, "EDGE_DEVELOPMENT_KEY", key);
    environment_file_set(&run->environment, "SANDBOX_DIR", sandbox);
    snprintf(run->control, sizeof run->control, "/tmp/edge-test-%d.sock", (int)getpid());
    environment_file_set(&run->environment, "EDGE_CONTROL", run->control);
    snprintf(run->log, sizeof run->log, "%s/host.log", directory);
    free(directory);
    free(key);
    free(sandbox);
    environment_file_apply(&run->environment);
    config_free(run->config);
    run->config = NULL;
    return config_open(run->path, &run->config);
}

/* The line that a host prints when its workers accept: "listening on http://127.0.0.1:43211". */
static bool origin_read(struct test_run *run, int output)
{
    static const char said[] = "listening on ";
    struct pollfd ready = { .fd = output, .events = POLLIN };
    char line[512];
    if (poll(&ready, 1, START_TIMEOUT_MS) <= 0)
        return false;
    ssize_t length = read(output, line, sizeof line - 1);
    if (length <= 0)
        return false;
    line[length] = '\0';
    if (strncmp(line, said, sizeof said - 1) != 0)
        return false;
    snprintf(run->origin, sizeof run->origin, "%.*s", (int)strcspn(line + sizeof said - 1, "\n"),
        line + sizeof said - 1);
    return true;
}

bool test_host_start(struct test_run *run)
{
    int ends[2];
    char program[PATH_MAX];
    if (!environment_apply(run) || pipe2(ends, O_CLOEXEC) != 0)
        return false;
    int log = open(run->log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    program[length < 0 ? 0 : length] = '\0';
    char *const arguments[] = { program, "serve", "--config", (char *)run->path, "--listen", "127.0.0.1:0",
        "--workers", "2", NULL };
    const struct process_start start = { arguments, .death_signal = SIGTERM, .own_session = true,
        .output = ends[1], .error = log, .keep = -1 };
    pid_t pid = process_start(&start);
    close(ends[1]);
    if (log >= 0)
        close(log);
    run->host = pid > 0 ? pid : 0;
    bool started = pid > 0 && origin_read(run, ends[0]);
    close(ends[0]);
    if (!started)
        failure("the host does not start; its log is %s", run->log);
    return started;
}

void test_run_stop(struct test_run *run)
{
    int status;
    if (run->host > 0) {
        kill(run->host, SIGTERM);
        if (process_wait(run->host, STOP_TIMEOUT_MS, &status) != 0)
            kill(run->host, SIGKILL);
    }
    if (run->has_database)
        dev_database_stop(&run->database);
    environment_file_free(&run->environment);
    config_free(run->config);
}
