/*
 * Listing; see tree_list.h. Depth first with every directory's names sorted is the order of whole paths, once a
 * directory's name counts with its slash.
 */
#include "storage/tree_list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    PATH_BYTES = 2048
};

/* Names of one directory: objects without their suffix, directories with a slash. */
struct names {
    char **items;
    size_t count, capacity;
};

static void names_free(struct names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->items[i]);
    free(names->items);
}

static int names_add(struct names *names, const char *name, size_t length, const char *suffix)
{
    if (names->count == names->capacity) {
        size_t capacity = names->capacity == 0 ? 64 : names->capacity * 2;
        char **items = realloc(names->items, capacity * sizeof *items);
        if (items == NULL)
            return -ENOMEM;
        names->items = items;
        names->capacity = capacity;
    }
    char *item = malloc(length + strlen(suffix) + 1);
    if (item == NULL)
        return -ENOMEM;
    memcpy(item, name, length);
    memcpy(item + length, suffix, strlen(suffix) + 1);
    names->items[names->count++] = item;
    return 0;
}

static int add_entry(struct names *names, int directory, const struct dirent *entry)
{
    const char *name = entry->d_name;
    size_t length = strlen(name), suffix = strlen(TREE_SUFFIX);
    struct stat status;
    if (name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0')))
        return 0;
    if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return 0; /* removed meanwhile */
    if (S_ISDIR(status.st_mode))
        return names_add(names, name, length, "/");
    if (S_ISREG(status.st_mode) && length > suffix && strcmp(name + length - suffix, TREE_SUFFIX) == 0)
        return names_add(names, name, length - suffix, "");
    return 0;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static int names_read(struct names *names, int directory)
{
    int copy = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = copy >= 0 ? fdopendir(copy) : NULL;
    if (stream == NULL) {
        int error = errno;
        if (copy >= 0)
            close(copy);
        return -error;
    }
    int result = 0;
    const struct dirent *entry = NULL;
    while (result == 0 && (entry = readdir(stream)) != NULL)
        result = add_entry(names, directory, entry);
    closedir(stream);
    if (names->count > 1)
        qsort(names->items, names->count, sizeof *names->items, by_bytes);
    return result;
}

static bool begins_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Whether a directory ("a/b/") can hold what is asked for. */
static bool is_wanted_directory(const struct tree_list *list, const char *path)
{
    return (begins_with(path, list->prefix) || begins_with(list->prefix, path)) &&
           (strcmp(path, list->after) > 0 || begins_with(list->after, path));
}

static int add_object(struct tree_list *list, int directory, const char *name, const char *path)
{
    if (!begins_with(path, list->prefix) || strcmp(path, list->after) <= 0)
        return 0;
    struct tree_found found;
    int fd = tree_open_in(directory, name, &found.facts);
    if (fd < 0)
        return fd == -ENOENT || fd == -EBADMSG ? 0 : fd; /* removed meanwhile, or nothing of ours */
    close(fd);
    if (list->count == list->limit) {
        list->more = true;
        return 0;
    }
    found.path = strdup(path);
    if (found.path == NULL)
        return -ENOMEM;
    list->found[list->count++] = found;
    return 0;
}

/* path: of the directory, with its slash, in a buffer of PATH_BYTES that is written on. */
static int list_directory(struct tree_list *list, int directory, char *path, size_t length)
{
    struct names names = { 0 };
    int result = names_read(&names, directory);
    for (size_t i = 0; i < names.count && result == 0 && !list->more; i++) {
        const char *name = names.items[i];
        size_t size = strlen(name);
        if (length + size >= PATH_BYTES)
            continue; /* nothing of ours is that deep */
        memcpy(path + length, name, size + 1);
        if (name[size - 1] != '/') {
            result = add_object(list, directory, name, path);
            continue;
        }
        if (!is_wanted_directory(list, path))
            continue;
        int below = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (below < 0)
            continue;
        result = list_directory(list, below, path, length + size);
        close(below);
    }
    names_free(&names);
    return result;
}

int tree_list(struct tree_list *list)
{
    char path[PATH_BYTES];
    int bucket = openat(list->root, list->bucket, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (bucket < 0)
        return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? 0 : -errno;
    int result = list_directory(list, bucket, path, 0);
    close(bucket);
    return result;
}

void tree_list_free(struct tree_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->found[i].path);
    free(list->found);
    free(list->bucket);
    free(list->prefix);
    free(list->after);
}
