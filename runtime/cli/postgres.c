/*
 * Starting and stopping of the embedded Postgres; see postgres.h.
 */
#include "cli/postgres.h"

#include "cli/command.h"
#include "cli/postgres_cluster.h"
#include "cli/process.h"

#include <libpq-fe.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DATABASE "pulse"
enum {
    START_TIMEOUT_MS = 30000,
    FAST_STOP_MS = 20000,
    IMMEDIATE_STOP_MS = 5000,
    POLL_MS = 10
};

static void url_format(
    const struct postgres *postgres, const char *user, const char *database, char url[PATH_MAX])
{
    int length =
        snprintf(url, PATH_MAX, "postgresql://%s@/%s?host=%s&port=5432", user, database, postgres->home.run);
    if (length >= PATH_MAX)
        abort();
}

/* PGHOST, PGOPTIONS and the like are about other servers. */
static void environment_clean(void)
{
    extern char **environ;
    for (char **entry = environ; *entry != NULL;) {
        size_t length = strcspn(*entry, "=");
        char name[64];
        if (strncmp(*entry, "PG", 2) == 0 && length < sizeof name) {
            snprintf(name, sizeof name, "%.*s", (int)length, *entry);
            unsetenv(name);
        } else {
            entry++;
        }
    }
}

/*
 * The cluster is one developer's: no network, and after a crash one sync of the file system instead of one a
 * file, which takes seconds.
 */
static pid_t server_launch(const struct postgres *postgres)
{
    char data[PATH_MAX], log[PATH_MAX], socket[PATH_MAX + 32];
    postgres_home_path(&postgres->home, "data", data);
    int output = open(postgres_home_path(&postgres->home, "postgres.log", log),
        O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    snprintf(socket, sizeof socket, "unix_socket_directories=%s", postgres->home.run);

    char *const arguments[] = { (char *)postgres->program, "-D", data, "-p", "5432", "-c", socket, "-c",
        "listen_addresses=", "-c", "unix_socket_permissions=0700", "-c", "max_connections=200", "-c",
        "logging_collector=off", "-c", "log_destination=stderr", "-c", "recovery_init_sync_method=syncfs",
        NULL };
    const struct process_start start = { arguments, postgres->home.user, .death_signal = SIGINT,
        .own_session = true, .output = output, .error = output, .keep = -1 };
    pid_t pid = process_start(&start);
    if (output >= 0)
        close(output);
    return pid;
}

/* Waits until the server answers; false when it ended or took too long. */
static bool server_wait(struct postgres *postgres)
{
    char url[PATH_MAX];
    url_format(postgres, "postgres", "postgres", url);
    int64_t began = process_clock_ms(), elapsed;
    while ((elapsed = process_clock_ms() - began) < START_TIMEOUT_MS) {
        int status;
        if (PQping(url) == PQPING_OK)
            return true;
        /* It is up in a tenth of a second or recovers from a crash, and logs every knock. */
        int64_t wait_ms = elapsed < 500 ? POLL_MS : 10 * POLL_MS;
        if (process_wait(postgres->pid, wait_ms, &status) == 0) {
            postgres->pid = 0;
            return false;
        }
    }
    return false;
}

/*
 * Backends of a server that was killed may hold its shared memory for a moment longer; the new server refuses
 * until they are gone.
 */
static bool server_start(struct postgres *postgres)
{
    int64_t end = process_clock_ms() + IMMEDIATE_STOP_MS;
    for (;;) {
        pid_t pid = server_launch(postgres);
        if (pid < 0) {
            failure("cannot start \"%s\": %s", postgres->program, strerror(-pid));
            return false;
        }
        postgres->pid = pid;
        if (server_wait(postgres))
            return true;
        if (!cluster_log_says(&postgres->home, "still in use") || process_clock_ms() > end) {
            cluster_explain(&postgres->home, "Postgres did not start");
            return false;
        }
        process_sleep_ms(20 * POLL_MS);
    }
}

static bool database_make(const struct postgres *postgres)
{
    char url[PATH_MAX];
    url_format(postgres, "postgres", "postgres", url);
    PGconn *connection = PQconnectdb(url);
    PGresult *result = PQexec(connection, "SELECT FROM pg_catalog.pg_database WHERE datname = '" DATABASE "'");
    bool exists = PQntuples(result) == 1;
    PQclear(result);
    if (!exists) {
        result = PQexec(connection, "CREATE DATABASE " DATABASE);
        exists = PQresultStatus(result) == PGRES_COMMAND_OK;
        PQclear(result);
    }
    if (!exists)
        failure("cannot make the database: %s", PQerrorMessage(connection));
    PQfinish(connection);
    return exists;
}

bool postgres_start(struct postgres *postgres)
{
    environment_clean();
    url_format(postgres, "postgres", DATABASE, postgres->owner_url);
    url_format(postgres, "edge_runtime", DATABASE, postgres->url);
    if (!cluster_program(&postgres->home, postgres->program) ||
        !cluster_make(&postgres->home, postgres->program) || !cluster_stop_orphan(&postgres->home))
        return false;
    if (server_start(postgres) && database_make(postgres))
        return true;
    postgres_stop(postgres);
    return false;
}

void postgres_stop(struct postgres *postgres)
{
    int status;
    if (postgres->pid <= 0)
        return;
    /* Fast shutdown, then immediate shutdown (recovery at the next start), then what always works. */
    kill(postgres->pid, SIGINT);
    if (process_wait(postgres->pid, FAST_STOP_MS, &status) != 0) {
        kill(postgres->pid, SIGQUIT);
        if (process_wait(postgres->pid, IMMEDIATE_STOP_MS, &status) != 0) {
            kill(postgres->pid, SIGKILL);
            process_wait(postgres->pid, IMMEDIATE_STOP_MS, &status);
        }
    }
    postgres->pid = 0;
}
