/*
 * edge doctor: the database.
 */
#include "cli/doctor.h"

#include "cli/migrate_files.h"
#include "config/config.h"

#include <libpq-fe.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum {
    SERVER_OLDEST = 150000
};

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void drop_notice(void *arg, const char *message)
{
    (void)arg, (void)message;
}

/* The first value of a statement's first row, to be freed; NULL when it fails or has none. */
static char *value_of(PGconn *server, const char *sql)
{
    PGresult *result = PQexec(server, sql);
    bool has = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) > 0 && !PQgetisnull(result, 0, 0);
    char *value = has ? strdup(PQgetvalue(result, 0, 0)) : NULL;
    PQclear(result);
    return value;
}

static PGconn *reach(struct doctor *doctor, const char *url)
{
    const char *const keywords[] = { "fallback_application_name", "connect_timeout", "dbname", NULL };
    const char *const values[] = { "edge doctor", "5", url, NULL };
    PGconn *server = PQconnectdbParams(keywords, values, 1);
    PQsetNoticeProcessor(server, drop_notice, NULL);
    if (PQstatus(server) == CONNECTION_OK)
        return server;
    char words[512];
    snprintf(words, sizeof words, "%.*s", (int)strcspn(PQerrorMessage(server), "\n"), PQerrorMessage(server));
    doctor_say(doctor, FINDING_FAILURE, "database",
        "Start it, or mend DATABASE_URL; `edge dev` brings one of its own", "cannot be reached: %s", words);
    PQfinish(server);
    return NULL;
}

static void version_check(struct doctor *doctor, PGconn *server)
{
    int version = PQserverVersion(server);
    if (version >= SERVER_OLDEST)
        doctor_say(doctor, FINDING_OK, "database", NULL, "PostgreSQL %d.%d, as %s", version / 10000,
            version % 10000, PQuser(server));
    else
        doctor_say(doctor, FINDING_FAILURE, "database", "Use PostgreSQL 15 or newer",
            "PostgreSQL %d.%d is too old", version / 10000, version % 10000);
}

/* Tokens and signatures are judged by our clock, schedules and leases by the database's. */
static void clock_check(struct doctor *doctor, PGconn *server)
{
    double before = now_s();
    char *text = value_of(server, "SELECT extract(epoch FROM clock_timestamp())");
    double after = now_s();
    if (text == NULL)
        return;
    double apart = strtod(text, NULL) - (before + after) / 2, trip = after - before;
    free(text);
    double worst = (apart < 0 ? -apart : apart) + trip / 2;
    if (worst < 1)
        doctor_say(doctor, FINDING_OK, "clock", NULL, "within %.0f ms of the database's", worst * 1000);
    else
        doctor_say(doctor, worst < 5 ? FINDING_WARNING : FINDING_FAILURE, "clock",
            "Keep both machines' time: timedatectl set-ntp true", "%.1f s %s the database's", worst,
            apart > 0 ? "behind" : "ahead of");
}

/* The login must not be able to bypass row security, and must be able to become each role. */
static void roles_check(struct doctor *doctor, PGconn *server)
{
    char *missing = value_of(server, "SELECT string_agg(name, ', ') FROM unnest(ARRAY['anon', 'authenticated', "
                                     "'edge_admin', 'service_role']) name"
                                     " WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)"
                                     " OR NOT pg_has_role(current_user, name, 'MEMBER')");
    char *strong =
        value_of(server, "SELECT 1 FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolbypassrls)");
    if (missing != NULL)
        doctor_say(doctor, FINDING_FAILURE, "roles", "edge migrate makes the roles; log in as edge_runtime",
            "\"%s\" cannot become %s", PQuser(server), missing);
    else if (strong != NULL)
        doctor_say(doctor, FINDING_WARNING, "roles", "Log in as edge_runtime: DATABASE_URL",
            "\"%s\" may do more than the runtime needs", PQuser(server));
    else
        doctor_say(
            doctor, FINDING_OK, "roles", NULL, "\"%s\" has the runtime's roles and no more", PQuser(server));
    free(missing);
    free(strong);
}

/* Whether each of the files has been applied as it is now; as the owner of the schema, who may read the books.
 */
static void migrations_check(struct doctor *doctor, const struct database_config *database)
{
    struct sql_files files;
    struct stat status;
    bool there = database->runtimes != NULL || stat(database->migrations, &status) == 0;
    if (!there || migrations_read(database->runtimes, database->migrations, &files) != 0) {
        doctor_say(doctor, FINDING_WARNING, "migrations", "[database] migrations names their directory",
            "%s cannot be read", database->migrations);
        return;
    }
    PGconn *owner = PQconnectdb(database->migrate_url != NULL ? database->migrate_url : database->url);
    PQsetNoticeProcessor(owner, drop_notice, NULL);
    size_t applied = 0;
    const char *changed = NULL, *waiting = NULL;
    PGresult *books = PQexec(owner, "SELECT version, checksum FROM edge.migrations");
    bool readable = PQresultStatus(books) == PGRES_TUPLES_OK;
    for (size_t i = 0; readable && i < files.count; i++) {
        int row = 0;
        while (row < PQntuples(books) && strcmp(PQgetvalue(books, row, 0), files.items[i].version) != 0)
            row++;
        if (row == PQntuples(books))
            waiting = waiting != NULL ? waiting : files.items[i].path;
        else if (strncmp(PQgetvalue(books, row, 1), files.items[i].checksum, strlen(files.items[i].checksum)) !=
                 0)
            changed = files.items[i].path;
        else
            applied++;
    }
    const char *state = PQresultErrorField(books, PG_DIAG_SQLSTATE);
    bool forbidden = state != NULL && strcmp(state, "42501") == 0;
    if (!readable)
        doctor_say(doctor, forbidden ? FINDING_WARNING : FINDING_FAILURE, "migrations",
            forbidden ? "Set DATABASE_MIGRATE_URL to the schema's owner to have them looked at"
                      : "edge migrate",
            "what is applied cannot be read: %.*s", (int)strcspn(PQerrorMessage(owner), "\n"),
            PQerrorMessage(owner));
    else if (changed != NULL)
        doctor_say(doctor, FINDING_FAILURE, "migrations", "Put it back, and write a new one",
            "%s was edited after it was applied", changed);
    else if (waiting != NULL)
        doctor_say(doctor, FINDING_FAILURE, "migrations", "edge migrate",
            "%zu of %zu are applied; the next is %s", applied, files.count, waiting);
    else
        doctor_say(doctor, FINDING_OK, "migrations", NULL, "all %zu are applied", files.count);
    PQclear(books);
    PQfinish(owner);
    sql_files_free(&files);
}

void doctor_database(struct doctor *doctor, const struct config *config)
{
    if (config->database.url == NULL) {
        doctor_say(doctor, FINDING_WARNING, "database", "Set DATABASE_URL; `edge dev` brings one of its own",
            "none is configured: functions that use it answer 503 not_configured");
        return;
    }
    PGconn *server = reach(doctor, config->database.url);
    if (server == NULL)
        return;
    version_check(doctor, server);
    clock_check(doctor, server);
    roles_check(doctor, server);
    migrations_check(doctor, &config->database);
    PQfinish(server);
}
