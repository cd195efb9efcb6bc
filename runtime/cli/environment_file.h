/*
 * A file of environment variables, NAME='value' a line, as a shell reads it with ". file".
 */
#ifndef ENVIRONMENT_FILE_H
#define ENVIRONMENT_FILE_H

#include <stddef.h>

struct environment_variable {
    char *name, *value;
};

/* Zeroed, it is empty. */
struct environment_file {
    struct environment_variable *variables;
    size_t count;
};

/* Reads a file; lines of another form are skipped. 0 or a negative errno. */
int environment_file_read(struct environment_file *file, const char *path);

/* Writes it anew, readable by its owner only. 0 or a negative errno. */
int environment_file_write(const struct environment_file *file, const char *path);

/* Value of a variable, NULL when the file has none of this name. */
const char *environment_file_get(const struct environment_file *file, const char *name);

/* Adds a variable, or gives it another value. */
void environment_file_set(struct environment_file *file, const char *name, const char *value);

/* Puts all of them into this process's environment. */
void environment_file_apply(const struct environment_file *file);

void environment_file_free(struct environment_file *file);

#endif
