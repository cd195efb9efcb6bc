/*
 * The engine of `edge migrate`; see migrate.h.
 */
#include "cli/migrate.h"

#include "cli/migrate_files.h"
#include "cli/migrate_server.h"
#include "cli/table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The first migration makes the same, for databases that are built by hand. */
#define BOOKS_SQL                                                                                              \
    "CREATE SCHEMA IF NOT EXISTS edge;"                                                                        \
    "CREATE TABLE IF NOT EXISTS edge.migrations ("                                                             \
    "version text PRIMARY KEY, name text NOT NULL, checksum text NOT NULL,"                                    \
    " applied_at timestamptz NOT NULL DEFAULT now(), duration_ms integer NOT NULL)"

/* Applied migrations, in order: version, name, checksum, applied_at, duration_ms. NULL after saying why. */
static PGresult *read_books(PGconn *server)
{
    PGresult *there = PQexec(server, "SELECT to_regclass('edge.migrations') IS NOT NULL");
    bool made = PQresultStatus(there) == PGRES_TUPLES_OK && PQgetvalue(there, 0, 0)[0] == 't';
    PQclear(there);

    PGresult *books = PQexec(server,
        made
            ? "SELECT version, name, checksum, to_char(applied_at AT TIME ZONE 'utc', 'YYYY-MM-DD HH24:MI:SS'),"
              " duration_ms FROM edge.migrations ORDER BY version COLLATE \"C\""
            : "SELECT NULL::text, NULL::text, NULL::text, NULL::text, NULL::int WHERE false");
    if (PQresultStatus(books) == PGRES_TUPLES_OK)
        return books;
    fprintf(stderr, "edge.migrations cannot be read: %s", PQerrorMessage(server));
    PQclear(books);
    return NULL;
}

/* Row of a version in the books, -1 when it has not been applied. */
static int find_row(const PGresult *books, const char *version)
{
    for (int row = 0; row < PQntuples(books); row++)
        if (strcmp(PQgetvalue(books, row, 0), version) == 0)
            return row;
    return -1;
}

static const struct sql_file *find_file(const struct sql_files *files, const char *version)
{
    for (size_t i = 0; i < files->count; i++)
        if (strcmp(files->items[i].version, version) == 0)
            return &files->items[i];
    return NULL;
}

/* The newest version applied of the series that a version belongs to; "" when there is none. */
static const char *newest_applied(const PGresult *books, const char *version)
{
    for (int row = PQntuples(books) - 1; row >= 0; row--)
        if (version_is_runtimes(PQgetvalue(books, row, 0)) == version_is_runtimes(version))
            return PQgetvalue(books, row, 0);
    return "";
}

/* What has been applied must be there, unchanged, and older than everything of its series that has not. */
static int check_books(const PGresult *books, const struct sql_files *files)
{
    int problems = 0;
    for (int row = 0; row < PQntuples(books); row++) {
        const char *version = PQgetvalue(books, row, 0);
        const struct sql_file *file = find_file(files, version);
        if (file == NULL) {
            fprintf(stderr, "%s_%s.sql is missing, and has been applied to this database\n", version,
                PQgetvalue(books, row, 1));
            problems++;
        } else if (strcmp(file->checksum, PQgetvalue(books, row, 2)) != 0) {
            fprintf(stderr, "%s: has changed since it was applied; undo that and write a new migration\n",
                file->path);
            problems++;
        }
    }

    for (size_t i = 0; i < files->count; i++) {
        const struct sql_file *file = &files->items[i];
        const char *newest = newest_applied(books, file->version);
        if (find_row(books, file->version) >= 0 || strcmp(file->version, newest) > 0)
            continue;
        fprintf(stderr, "%s: is older than %s, which has been applied; give it the next free number\n",
            file->path, newest);
        problems++;
    }
    return problems == 0 ? 0 : -EINVAL;
}

static void print_status(const PGresult *books, const struct sql_files *files)
{
    struct table table = { .columns = 4 };
    table_add(&table, (const char *const[]){ "VERSION", "NAME", "APPLIED (UTC)", "MS" });
    for (size_t i = 0; i < files->count; i++) {
        const struct sql_file *file = &files->items[i];
        int row = find_row(books, file->version);
        table_add(
            &table, (const char *const[]){ file->version, file->name,
                        row < 0 ? "no" : PQgetvalue(books, row, 3), row < 0 ? "" : PQgetvalue(books, row, 4) });
    }
    table_print(&table);
}

static long long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int enter_in_books(PGconn *server, const struct sql_file *file, long long duration_ms)
{
    char duration[24];
    snprintf(duration, sizeof duration, "%lld", duration_ms);
    const char *const values[] = { file->version, file->name, file->checksum, duration };
    PGresult *result = PQexecParams(server,
        "INSERT INTO edge.migrations (version, name, checksum, duration_ms) VALUES ($1, $2, $3, $4::int)", 4,
        NULL, values, NULL, NULL, 0);
    bool done = PQresultStatus(result) == PGRES_COMMAND_OK;
    if (!done)
        fprintf(stderr, "%s: cannot be entered in edge.migrations: %s", file->path, PQerrorMessage(server));
    PQclear(result);
    return done ? 0 : -EIO;
}

/* One file in one transaction; a seed has no row in the books. Settings that it made do not reach the next. */
static int apply(PGconn *server, const struct sql_file *file, bool enter)
{
    long long started_ms = now_ms();
    int error = server_run(server, "BEGIN");
    if (error == 0)
        error = server_run_file(server, file);
    if (error == 0 && enter)
        error = enter_in_books(server, file, now_ms() - started_ms);
    if (error == 0)
        error = server_run(server, "COMMIT");
    if (error < 0) {
        PQclear(PQexec(server, "ROLLBACK"));
        fprintf(stderr, "%s: has been rolled back\n", file->path);
        return error;
    }
    return server_run(server, "RESET ALL; RESET ROLE; SET statement_timeout = 0");
}

static int apply_new(
    PGconn *server, const PGresult *books, const struct sql_files *files, const struct migrate_options *options)
{
    size_t count = 0;
    for (size_t i = 0; i < files->count; i++) {
        const struct sql_file *file = &files->items[i];
        if (find_row(books, file->version) >= 0)
            continue;
        int error = options->dry_run ? 0 : apply(server, file, true);
        if (error < 0)
            return error;
        if (!options->quiet)
            printf("%s %s_%s\n", options->dry_run ? "would apply" : "applied", file->version, file->name);
        count++;
    }
    if (count == 0 && !options->quiet)
        printf("Nothing to do: %zu migrations are applied\n", files->count);
    return 0;
}

static int migrate_on(PGconn *server, const struct sql_files *files, const struct migrate_options *options)
{
    bool looking = options->status || options->dry_run;
    if (!looking && server_run(server, BOOKS_SQL) < 0)
        return -EIO;
    PGresult *books = read_books(server);
    if (books == NULL)
        return -EIO;
    int error = check_books(books, files);
    if (options->status)
        print_status(books, files);
    else if (error == 0)
        error = apply_new(server, books, files, options);
    PQclear(books);
    return error;
}

int migrate_run(
    const char *url, const char *runtimes, const char *directory, const struct migrate_options *options)
{
    struct sql_files files;
    int error = migrations_read(runtimes, directory, &files);
    if (error == 0) {
        PGconn *server = server_open(url, !options->status && !options->dry_run);
        error = server != NULL ? migrate_on(server, &files, options) : -ECONNREFUSED;
        server_close(server);
    }
    sql_files_free(&files);
    return error;
}

int seed_run(const char *url, const char *directory)
{
    struct sql_files files;
    int error = sql_files_read(directory, &files);
    PGconn *server = error == 0 ? server_open(url, true) : NULL;
    if (error == 0 && server == NULL)
        error = -ECONNREFUSED;
    for (size_t i = 0; i < files.count && error == 0; i++)
        error = apply(server, &files.items[i], false);
    server_close(server);
    sql_files_free(&files);
    return error;
}
