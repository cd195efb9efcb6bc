/*
 * Files that `edge new` writes: all of them, or none, and never over one that is there.
 */
#ifndef NEW_FILES_H
#define NEW_FILES_H

#include <stdbool.h>

enum {
    NEW_FILES_MAX = 12
};

struct new_files {
    const char *root; /* directory that the paths count from */
    int count, written;
    struct {
        char *path, *text;
    } items[NEW_FILES_MAX];
};

/* Plans a file; text becomes the plan's. */
__attribute__((format(printf, 3, 4))) void new_files_add(
    struct new_files *files, char *text, const char *path, ...);

/* Makes them, and directories as needed. False after saying which one is there already or cannot be written. */
bool new_files_write(struct new_files *files);

/* Removes what was written, and directories that are empty then. */
void new_files_undo(struct new_files *files);
void new_files_free(struct new_files *files);

#endif
