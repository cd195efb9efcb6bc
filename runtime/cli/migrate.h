/*
 * The engine of `edge migrate`: applies a directory of SQL files to a database, each once.
 *
 * Files are named NNNN_name.sql and applied in the order of their numbers, each in a transaction together
 * with its row in edge.migrations. What has been applied is never edited: its checksum is kept and compared.
 * Several at once are fine: one works while the others wait for a lock, and then find nothing to do.
 *
 * Both functions talk to the server on a plain connection of their own, as the schema's owner. They print what
 * they do on standard output, and what went wrong, with file and line, on standard error.
 */
#ifndef MIGRATE_H
#define MIGRATE_H

#include <stdbool.h>

struct migrate_options {
    bool status;  /* print what is applied and what is not; change nothing */
    bool dry_run; /* print what would be applied; change nothing */
    bool quiet;   /* print nothing but errors */
};

/*
 * Applies what is new: first of the directory runtimes, unless it is NULL, then of directory (see
 * migrations_read). 0, or a negative errno when something is wrong; nothing is half done then.
 */
int migrate_run(
    const char *url, const char *runtimes, const char *directory, const struct migrate_options *options);

/* Runs every .sql file of directory in the order of their names, each in a transaction. Same result. */
int seed_run(const char *url, const char *directory);

#endif
