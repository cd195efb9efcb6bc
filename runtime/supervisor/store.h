/*
 * The supervisor's private directory: copies of plugins under the hash of their content, of functions.toml, and
 * the manifests of revisions.
 *
 * What is opened is always a copy: a build tool that writes over a file whose code is running cannot bite, nor
 * one that is half done, nor the loader's memory of names it has seen.
 */
#ifndef SUPERVISOR_STORE_H
#define SUPERVISOR_STORE_H

#include <stdbool.h>
#include <stddef.h>

#define STORE_HASH_BYTES 65 /* SHA-256 in hexadecimal */
#define STORE_PATH_BYTES 512
#define STORE_NAME_HASH_LENGTH 16 /* of it, in the name of a copy */

struct store {
    char directory[256]; /* "": not open */
};

/* One plugin's file as it was copied. */
struct build {
    char hash[STORE_HASH_BYTES]; /* "": none */
    char id[44];                 /* ELF build id, once the gate has read it */
    char file[STORE_PATH_BYTES];
};

struct store_error {
    char text[512];
};

/*
 * Makes the directory: under EDGE_STATE_DIR, else the first of [server].spool and the plugins' own parent whose
 * file system lets code be run. Clears away what supervisors that were killed have left. 0, or a negative errno
 * and *error.
 */
int store_open(struct store *store, const char *spool, const char *plugins, struct store_error *error);
void store_close(struct store *store);

/* Copies a plugin's file. 0 and *build, or a negative errno (-ENOENT: it is not there) and *error. */
int store_add(
    struct store *store, const char *path, const char *name, struct build *build, struct store_error *error);

/* Writes text to a file of the directory whose name is given; its path to out. 0, or a negative errno and
 * *error. */
int store_write(struct store *store, const char *name, const char *text, size_t length,
    char out[STORE_PATH_BYTES], struct store_error *error);

/* SHA-256 of a text, hexadecimal. */
void store_hash(const void *data, size_t length, char out[STORE_HASH_BYTES]);

/* Removes a copy that nobody opens any more; where it is mapped, it stays so. */
void store_remove(const struct build *build);

/* The name of a file as people know it, without its directory: "computePulse.so" of a copy of it. */
void store_shown_name(const char *file, char *out, size_t size);

#endif
