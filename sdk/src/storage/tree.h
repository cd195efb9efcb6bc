/*
 * Objects as files below the storage directory; what runs in the disk's threads.
 *
 *   <root>/<bucket>/<segment>/.../<last segment>.object
 *
 * A file is the object's bytes and a footer: its etag, its content type, the footer's length and a mark, so
 * that bytes and what is known of them change places in one rename. The suffix lets "a" and "a/b" both be
 * objects. Directories are walked one by one without following links.
 */
#ifndef STORAGE_TREE_H
#define STORAGE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TREE_SUFFIX ".object"
#define TREE_PENDING ".pending" /* directory of files that are being written */

enum {
    TREE_ETAG_LENGTH = 32,
    TREE_TYPE_MAX = 255
};

struct tree_facts {
    int64_t size_bytes, modified_us;
    char etag[TREE_ETAG_LENGTH + 1];
    char content_type[TREE_TYPE_MAX + 1];
};

/*
 * Descriptor of the directory an object lies in, made with all above it when make is set; a negative errno
 * otherwise. *name is the last segment of path.
 */
int tree_directory(int root, const char *bucket, const char *path, bool make, const char **name);

/* Opens an object for reading and reads its footer. A descriptor or a negative errno; -EBADMSG: no object. */
int tree_open(int root, const char *bucket, const char *path, struct tree_facts *facts);
int tree_open_in(int directory, const char *name, struct tree_facts *facts);

/* Appends the footer to a file that holds size_bytes. 0 or a negative errno. */
int tree_write_footer(int fd, const struct tree_facts *facts);

/* Writes all of it. 0 or a negative errno. */
int tree_write(int fd, const void *data, size_t length);

/* Moves a finished file below TREE_PENDING to its place, durably. if_absent: -EEXIST when there is one. */
int tree_place(int root, const char *pending, const char *bucket, const char *path, bool if_absent);

/* Removes an object; 0 as well when there is none. */
int tree_remove(int root, const char *bucket, const char *path);

/* Opens, and makes if need be, the storage directory; removes what was being written a day ago. */
int tree_open_root(const char *directory);

#endif
