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
 * Reads all .sql files of a directory. numbered: every name must be NNNN_name.sql and no number come twice.
 * 0, or a negative errno after saying on standard error what is wrong; free it in both cases.
 */
int sql_files_read(const char *directory, bool numbered, struct sql_files *files);
void sql_files_free(struct sql_files *files);

#endif
