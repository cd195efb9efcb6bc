/*
 * The server's side of `edge migrate`: one connection, one lock, files run in transactions.
 */
#ifndef MIGRATE_SERVER_H
#define MIGRATE_SERVER_H

#include "cli/migrate_files.h"

#include <libpq-fe.h>

/* Connects and takes the lock that one migration at a time holds; says so when it has to wait. NULL: said why.
 */
PGconn *server_open(const char *url, bool lock);

/* Ends a session and gives its lock back; NULL is none. */
void server_close(PGconn *server);

/* Runs a statement of ours. 0 or -EIO, after saying what is wrong. */
int server_run(PGconn *server, const char *sql);

/* Runs a file's statements in the open transaction. 0 or -EIO, after naming file, line and error. */
int server_run_file(PGconn *server, const struct sql_file *file);

#endif
