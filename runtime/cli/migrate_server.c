/*
 * The server's side of `edge migrate`; see migrate_server.h.
 */
#include "cli/migrate_server.h"

#include "cli/migrate_statements.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/*
 * Any number will do as long as nobody else uses it: "edge" and "migr" in ASCII. It is a session lock, because
 * it spans many transactions; so the URL must not lead through a pooler that shares sessions.
 */
#define LOCK_KEY "7306078180826769266"

static void drop_notice(void *arg, const char *message)
{
    (void)arg, (void)message;
}

/* The line of a position, which counts characters from 1, not bytes. */
static int line_of(const char *text, int position)
{
    int line = 1;
    for (int characters = 1; *text != '\0' && characters < position; text++) {
        line += *text == '\n';
        if ((text[1] & 0xc0) != 0x80)
            characters++;
    }
    return line;
}

static void print_field(const PGresult *result, int field, const char *label)
{
    const char *text = PQresultErrorField(result, field);
    if (text != NULL)
        fprintf(stderr, "    %s: %s\n", label, text);
}

/* Line of the n-th statement, from 1: for an error without a position, as a violated constraint is. */
static int line_of_statement(const char *text, int n)
{
    struct sql_reader reader = { .at = text, .line = 1 };
    struct sql_statement statement = { .line = 1 };
    while (n-- > 0 && sql_next(&reader, &statement))
        ;
    return statement.line;
}

static void print_error(const PGresult *result, const struct sql_file *file, int statement)
{
    const char *position = PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION);
    const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (file != NULL)
        fprintf(stderr, "%s:%d: ", file->path,
            position != NULL ? line_of(file->text, atoi(position)) : line_of_statement(file->text, statement));
    fprintf(stderr, "%s (SQLSTATE %s)\n", message != NULL ? message : PQresultErrorMessage(result),
        sqlstate != NULL ? sqlstate : "none");
    print_field(result, PG_DIAG_MESSAGE_DETAIL, "detail");
    print_field(result, PG_DIAG_MESSAGE_HINT, "hint");
    print_field(result, PG_DIAG_CONTEXT, "context");
}

/* Sends and reads everything; the first error counts. */
static int run(PGconn *server, const char *sql, const struct sql_file *file)
{
    if (!PQsendQuery(server, sql)) {
        fprintf(stderr, "%s", PQerrorMessage(server));
        return -EIO;
    }
    int error = 0, statement = 0;
    PGresult *result = NULL;
    while ((result = PQgetResult(server)) != NULL) {
        ExecStatusType status = PQresultStatus(result);
        statement++;
        if (status == PGRES_FATAL_ERROR) {
            if (error == 0)
                print_error(result, file, statement);
            error = -EIO;
        } else if (status == PGRES_COPY_IN) {
            /* There is nobody to send the rows. */
            PQputCopyEnd(server, "COPY FROM STDIN has no input here; write INSERT");
        }
        PQclear(result);
        if (PQstatus(server) == CONNECTION_BAD)
            break;
    }
    return PQstatus(server) == CONNECTION_BAD ? -EIO : error;
}

int server_run(PGconn *server, const char *sql)
{
    return run(server, sql, NULL);
}

/* What would commit the statements before it, or leave those behind it without a transaction. */
static bool controls_transaction(const struct sql_statement *statement)
{
    static const char *const words[] = { "abort", "begin", "commit", "end", "rollback", "start", NULL };
    for (const char *const *word = words; *word != NULL; word++)
        if (strcmp(statement->word, *word) == 0)
            return true;
    return strncasecmp(statement->start, "prepare transaction", strlen("prepare transaction")) == 0;
}

int server_run_file(PGconn *server, const struct sql_file *file)
{
    struct sql_reader reader = { .at = file->text, .line = 1 };
    struct sql_statement statement;
    while (sql_next(&reader, &statement)) {
        if (!controls_transaction(&statement))
            continue;
        fprintf(stderr, "%s:%d: \"%s\" has no place in a file that runs in a transaction; leave it out\n",
            file->path, statement.line, statement.word);
        return -EINVAL;
    }
    return run(server, file->text, file);
}

static int take_lock(PGconn *server)
{
    PGresult *result = PQexec(server, "SELECT pg_try_advisory_lock(" LOCK_KEY ")");
    bool failed = PQresultStatus(result) != PGRES_TUPLES_OK;
    bool taken = !failed && PQgetvalue(result, 0, 0)[0] == 't';
    PQclear(result);
    if (failed) {
        fprintf(stderr, "%s", PQerrorMessage(server));
        return -EIO;
    }
    if (taken)
        return 0;
    fprintf(stderr, "Another migration of this database is running, waiting for it\n");
    return server_run(server, "SELECT pg_advisory_lock(" LOCK_KEY ")");
}

PGconn *server_open(const char *url, bool lock)
{
    const char *const keywords[] = { "fallback_application_name", "connect_timeout", "dbname",
        "client_encoding", NULL };
    const char *const values[] = { "edge migrate", "10", url, "UTF8", NULL };
    PGconn *server = PQconnectdbParams(keywords, values, 1);
    if (PQstatus(server) != CONNECTION_OK) {
        fprintf(stderr, "The database cannot be reached: %s", PQerrorMessage(server));
        goto fail;
    }
    PQsetNoticeProcessor(server, drop_notice, NULL);
    /* Limits that a role or database sets are for queries, not for building an index or waiting in line. */
    if (server_run(server, "SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0") < 0 ||
        (lock && take_lock(server) < 0))
        goto fail;
    return server;

fail:
    PQfinish(server);
    return NULL;
}

/* The lock is given back before the session ends: its backend may outlive this call, and the next one would
 * wait. */
void server_close(PGconn *server)
{
    if (server != NULL)
        PQclear(PQexec(server, "SELECT pg_advisory_unlock_all()"));
    PQfinish(server);
}
