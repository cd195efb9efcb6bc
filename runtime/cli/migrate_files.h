/*
 * A directory of SQL files, as `edge migrate` reads it.
 */
#ifndef MIGRATE_FILES_H
#define MIGRATE_FILES_H

#include <stdbool.h>
#include <stddef.h>

struct sql_file {
    char *path;
    char *text;        /* NUL-terminated */
    char version[5];   /* "0007"; "" of a seed file */
    char *name;        /* "engines" of 0007_engines.sql; of a seed file its file name */
    char checksum[65]; /* SHA-256 of the file, lower-case hexadecimal */
};

struct sql_files {
    struct sql_file *items; /* in the order in which they run */
    size_t count;
};

/*
 * Reads all .sql files of a directory, with whatever names.
 * 0, or a negative errno after saying on standard error what is wrong; free it in both cases.
 */
int sql_files_read(const char *directory, struct sql_files *files);

/*
 * Reads migrations: every name must be NNNN_name.sql and no number come twice. Those of directory (which need
 * not exist then) come after the runtime's, and have numbers from 1000 on; runtimes NULL: directory holds all
 * of them. Same result.
 */
int migrations_read(const char *runtimes, const char *directory, struct sql_files *files);

/* Whether a number is of the runtime's series, which goes on whatever projects have applied since. */
static inline bool version_is_runtimes(const char *version)
{
    return version[0] == '0';
}
void sql_files_free(struct sql_files *files);

#endif
