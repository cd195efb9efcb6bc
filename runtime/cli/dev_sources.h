/*
 * The sources of a project: tells when one of them has changed.
 *
 * All directories below the project's are watched, but for those that are made (build*, node_modules) or
 * hidden.
 */
#ifndef DEV_SOURCES_H
#define DEV_SOURCES_H

#include <stdbool.h>
#include <stddef.h>

struct dev_sources {
    char *root;
    int fd;       /* inotify; -1: not watched */
    char **paths; /* by watch descriptor */
    size_t path_count;
};

/* Watches the sources below a directory; without inotify nothing is noticed, which has been said. */
void dev_sources_open(struct dev_sources *sources, const char *root);
void dev_sources_close(struct dev_sources *sources);

/* Reads what has happened. True when a source has changed, and not only an editor's copy or what a build makes.
 */
bool dev_sources_changed(struct dev_sources *sources);

#endif
