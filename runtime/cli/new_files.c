/*
 * Writing several files as one step; see new_files.h.
 */
#include "cli/new_files.h"

#include "cli/command.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void new_files_add(struct new_files *files, char *text, const char *format, ...)
{
    va_list args;
    char *path = NULL;
    va_start(args, format);
    if (files->count == NEW_FILES_MAX || vasprintf(&path, format, args) < 0)
        abort();
    va_end(args);
    files->items[files->count].path = path;
    files->items[files->count++].text = text;
}

static void full_path(const struct new_files *files, int index, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%s", files->root, files->items[index].path);
}

/* Makes the directories above a path, below root. */
static void make_parents(const struct new_files *files, char *path)
{
    for (char *slash = path + strlen(files->root); (slash = strchr(slash + 1, '/')) != NULL;) {
        *slash = '\0';
        mkdir(path, 0755);
        *slash = '/';
    }
}

static bool write_one(struct new_files *files, int index)
{
    char path[PATH_MAX];
    full_path(files, index, path);
    make_parents(files, path);
    FILE *file = fopen(path, "wxe");
    if (file == NULL)
        return failure("\"%s\" cannot be made: %s", files->items[index].path, strerror(errno)) == STATUS_DONE;
    files->written = index + 1;
    bool written = fputs(files->items[index].text, file) >= 0;
    if (fclose(file) != 0 || !written)
        return failure("\"%s\" cannot be written: %s", files->items[index].path, strerror(errno)) ==
               STATUS_DONE;
    return true;
}

bool new_files_write(struct new_files *files)
{
    for (int i = 0; i < files->count; i++) {
        char path[PATH_MAX];
        full_path(files, i, path);
        if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
            return failure("\"%s\" is there already, and nothing is overwritten", files->items[i].path) ==
                   STATUS_DONE;
    }
    for (int i = 0; i < files->count; i++)
        if (!write_one(files, i)) {
            new_files_undo(files);
            return false;
        }
    return true;
}

void new_files_undo(struct new_files *files)
{
    for (; files->written > 0; files->written--) {
        char path[PATH_MAX];
        full_path(files, files->written - 1, path);
        unlink(path);
        size_t root = strlen(files->root);
        for (char *slash; (slash = strrchr(path + root + 1, '/')) != NULL && slash > path + root;) {
            *slash = '\0';
            if (rmdir(path) != 0)
                break;
        }
    }
}

void new_files_free(struct new_files *files)
{
    for (int i = 0; i < files->count; i++) {
        free(files->items[i].path);
        free(files->items[i].text);
    }
}
