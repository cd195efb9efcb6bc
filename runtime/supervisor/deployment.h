/*
 * What a host serves, as its supervisor keeps book of it: the configuration, and for every function the build
 * that is served, its canary, and those before it.
 */
#ifndef SUPERVISOR_DEPLOYMENT_H
#define SUPERVISOR_DEPLOYMENT_H

#include "supervisor/registry.h"
#include "supervisor/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;
struct function_config;
struct stat;

/* A file as stat sees it: another one means that its content is worth a look. */
struct signature {
    uint64_t device, inode, size;
    int64_t modified_ns, changed_ns;
};

/* One function. By its number in the registry. */
struct function_record {
    struct build serving, canary; /* hash "": none */
    struct build previous[REGISTRY_PREVIOUS_MAX];
    struct signature seen;          /* the file at the last look; zero: it was not there */
    char refused[STORE_HASH_BYTES]; /* content that is not to be loaded by itself again */
    char problem[REGISTRY_PROBLEM_BYTES];
    int64_t problem_at_us, since_us;
};

struct deployment {
    uint64_t number; /* of the revision */
    const struct config *config;
    struct config *owned;               /* config, when it has to be freed */
    char config_hash[STORE_HASH_BYTES]; /* of functions.toml */
    char config_file[STORE_PATH_BYTES]; /* the copy of it */
    char manifest[STORE_PATH_BYTES];
    struct signature config_seen;
    struct function_record functions[REGISTRY_MAX];
};

/* Zero when nothing is there. */
struct signature signature_of(const char *path);
bool signature_equal(const struct signature *a, const struct signature *b);

/* The file that a function's plugin is built to. */
void deployment_plugin_path(
    const struct config *config, const struct function_config *function, char *out, size_t size);

/* Whether a host with, or without, the stand-ins serves the function. */
bool deployment_wants(const struct function_config *function, bool sandbox);

/* The record goes on with another build; what it served becomes its first previous. */
void record_serve(struct function_record *record, const struct build *build, int64_t now_us);

/* It goes back: from its canary to none, else to its first previous. False: there is nothing to go back to. */
bool record_roll_back(struct function_record *record, int64_t now_us);

void record_problem(struct function_record *record, const char *text, int64_t now_us);

/*
 * Writes the manifest of a revision: what record_of(arg, index) says of each function of the configuration.
 * 0, or a negative errno and *error.
 */
int deployment_write_manifest(struct store *store, uint64_t number, const struct config *config,
    const char *config_file, const struct registry *registry,
    const struct function_record *(*record_of)(void *arg, int index), void *arg, char out[STORE_PATH_BYTES],
    struct store_error *error);

/* Tells the registry, and so everybody, how a function stands. config NULL: functions.toml has it no more. */
void deployment_publish(struct registry *registry, int index, const struct function_record *record,
    const struct function_config *function, bool wanted);

#endif
