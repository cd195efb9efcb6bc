/*
 * The sources of a project; see dev_sources.h.
 */
#include "cli/dev_sources.h"

#include "cli/command.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

static const uint32_t EVENTS =
    IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ONLYDIR;

static bool ends_with(const char *name, const char *end)
{
    size_t length = strlen(name), tail = strlen(end);
    return length > tail && strcmp(name + length - tail, end) == 0;
}

static bool directory_counts(const char *name)
{
    return name[0] != '.' && strncmp(name, "build", 5) != 0 && strcmp(name, "node_modules") != 0;
}

/* Not what editors and builds leave, nor what no build reads: tests, pages, and what the host itself watches.
 */
static bool file_counts(const char *name)
{
    static const char *const others[] = { "~", ".swp", ".swx", ".tmp", ".o", ".a", ".so", ".d", ".log", ".md",
        ".mjs", ".js", ".ts", ".json", ".sql", ".toml", NULL };
    if (name[0] == '.' || name[0] == '#' ||
        strcmp(name, "4913") == 0) /* Vim tries whether it may write there */
        return false;
    for (const char *const *other = others; *other != NULL; other++)
        if (ends_with(name, *other))
            return false;
    return true;
}

static bool remember(struct dev_sources *sources, int watch, const char *path)
{
    if ((size_t)watch >= sources->path_count) {
        size_t count = (size_t)watch * 2 + 16;
        char **paths = realloc(sources->paths, count * sizeof *paths);
        if (paths == NULL)
            return false;
        memset(paths + sources->path_count, 0, (count - sources->path_count) * sizeof *paths);
        sources->paths = paths;
        sources->path_count = count;
    }
    free(sources->paths[watch]);
    sources->paths[watch] = strdup(path);
    return sources->paths[watch] != NULL;
}

/* A directory and all below it. Links are not followed: they could lead round in a circle. */
static void watch_tree(struct dev_sources *sources, const char *path)
{
    int watch = inotify_add_watch(sources->fd, path, EVENTS);
    DIR *directory = watch >= 0 && remember(sources, watch, path) ? opendir(path) : NULL;
    if (directory == NULL)
        return;
    const struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        char below[PATH_MAX];
        if (entry->d_type != DT_DIR || !directory_counts(entry->d_name))
            continue;
        if (snprintf(below, sizeof below, "%s/%s", path, entry->d_name) < (int)sizeof below)
            watch_tree(sources, below);
    }
    closedir(directory);
}

void dev_sources_open(struct dev_sources *sources, const char *root)
{
    sources->root = strdup(root);
    sources->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (sources->fd < 0)
        failure("sources are not watched: %s. Press r when something has changed", strerror(errno));
    else
        watch_tree(sources, root);
}

void dev_sources_close(struct dev_sources *sources)
{
    if (sources->root == NULL)
        return;
    if (sources->fd >= 0)
        close(sources->fd);
    for (size_t i = 0; i < sources->path_count; i++)
        free(sources->paths[i]);
    free(sources->paths);
    free(sources->root);
    *sources = (struct dev_sources){ .fd = -1 };
}

/* A directory that has been made is watched; it counts, because files may be in it already. */
static bool counts(struct dev_sources *sources, const struct inotify_event *event)
{
    if ((event->mask & IN_Q_OVERFLOW) != 0)
        return true;
    if (event->len == 0 || (size_t)event->wd >= sources->path_count || sources->paths[event->wd] == NULL)
        return false;
    if ((event->mask & IN_ISDIR) == 0)
        return (event->mask & IN_CREATE) == 0 && file_counts(event->name);
    char path[PATH_MAX];
    bool fits = snprintf(path, sizeof path, "%s/%s", sources->paths[event->wd], event->name) < (int)sizeof path;
    if (!fits || !directory_counts(event->name) || (event->mask & (IN_CREATE | IN_MOVED_TO)) == 0)
        return false;
    watch_tree(sources, path);
    return true;
}

bool dev_sources_changed(struct dev_sources *sources)
{
    char buffer[16 * 1024] __attribute__((aligned(__alignof__(struct inotify_event))));
    ssize_t length;
    bool changed = false;
    while ((length = read(sources->fd, buffer, sizeof buffer)) > 0) {
        const struct inotify_event *event;
        for (char *at = buffer; at < buffer + length; at += sizeof *event + event->len) {
            event = (const struct inotify_event *)(const void *)at;
            changed = counts(sources, event) || changed;
        }
    }
    return changed;
}
