/*
 * Files of the sandbox: small, in the page cache, on a developer's machine. Descriptors live between two SDK
 * calls, never across one.
 */
#include "lib/sandbox_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void make_parents(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
}

const char *sandbox_path(edge_ctx *ctx, const char *provider, const char *name)
{
    const char *root = edge_env(ctx, "SANDBOX_DIR");
    char *path = edge_format(ctx, "%s/%s/%s", root != NULL ? root : ".edge/sandbox", provider, name);
    make_parents(path);
    return path;
}

const char *sandbox_read(edge_ctx *ctx, const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0)
        return NULL;
    size_t size = (size_t)status.st_size;
    char *text = edge_alloc(ctx, size + 1);

    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return NULL;
    size_t length = 0;
    for (ssize_t got; length < size && (got = read(file, text + length, size - length)) > 0;)
        length += (size_t)got;
    close(file);
    text[length] = '\0';
    return text;
}

static bool write_file(const char *path, int flags, const char *text, size_t length)
{
    int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);
    if (file < 0)
        return false;
    bool written = write(file, text, length) == (ssize_t)length;
    close(file);
    return written;
}

bool sandbox_create(const char *path)
{
    return write_file(path, O_EXCL, "", 0);
}

bool sandbox_append(const char *path, const char *text, size_t length)
{
    return write_file(path, O_APPEND, text, length);
}

/* Under another name first: a reader sees the old file or the new one, never half of it. */
bool sandbox_replace(edge_ctx *ctx, const char *path, const char *text, size_t length)
{
    const char *new_path = edge_format(ctx, "%s.%s", path, edge_request_id(ctx));
    return write_file(new_path, O_TRUNC, text, length) && rename(new_path, path) == 0;
}

const char *sandbox_first(edge_ctx *ctx, const char *directory)
{
    DIR *entries = opendir(directory);
    if (entries == NULL)
        return NULL;
    char first[NAME_MAX + 1] = "";
    for (const struct dirent *entry; (entry = readdir(entries)) != NULL;) {
        size_t length = strlen(entry->d_name);
        bool order = length > 5 && strcmp(entry->d_name + length - 5, ".json") == 0;
        if (order && (first[0] == '\0' || strcmp(entry->d_name, first) < 0))
            memcpy(first, entry->d_name, length + 1);
    }
    closedir(entries);
    return first[0] != '\0' ? edge_copy(ctx, first) : NULL;
}

bool sandbox_remove(const char *path)
{
    return unlink(path) == 0;
}
