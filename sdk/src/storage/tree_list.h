/*
 * Listing the directory's objects in the order of their paths; in a thread of the disk's.
 */
#ifndef STORAGE_TREE_LIST_H
#define STORAGE_TREE_LIST_H

#include "storage/tree.h"

struct tree_found {
    char *path;
    struct tree_facts facts;
};

struct tree_list {
    int root;
    char *bucket, *prefix, *after;
    size_t limit;
    struct tree_found *found;
    size_t count;
    bool more;
};

/* Fills found up to limit; more says that something follows. 0 or a negative errno. */
int tree_list(struct tree_list *list);

void tree_list_free(struct tree_list *list);

#endif
