/*
 * One reading of functions.toml: from JSON to struct config. Every error is reported and reading goes on, so
 * that the one that is kept is the first in the file, whatever the order of the checks.
 */
#ifndef LOADER_H
#define LOADER_H

#include "config.h"
#include "schema.h"
#include "toml.h"

#include <arena.h>
#include <stdbool.h>

struct loader {
    const char *path;      /* of the file, as given: messages begin with it */
    const char *directory; /* absolute: relative paths count from it */
    struct toml_document document;
    struct arena *arena;
    struct config *config;
    struct config_error *error;
    int error_line; /* of the error kept, 0: none */
};

/*
 * Parses text as the file at path; config_load without reading and without the development issuer's key. path
 * need not exist.
 */
int config_parse(
    const char *path, const char *text, size_t length, struct config **config, struct config_error *error);

/* report.c */

/* The path of a key in the table at parent ("" for the root), as toml_line knows it. */
const char *loader_path(struct loader *loader, const char *parent, const char *key);

/* An error at a key, given by its path. A path that the file does not have stands for the table around it. */
__attribute__((format(printf, 3, 4))) void loader_report(
    struct loader *loader, const char *path, const char *format, ...);

/* An error in what an environment variable says. */
__attribute__((format(printf, 3, 4))) void loader_report_variable(
    struct loader *loader, const char *variable, const char *format, ...);

/* A key that no table has, with the one that was probably meant or all there are. */
void loader_report_unknown(
    struct loader *loader, const char *path, const char *key, const char *const *known, const char *what);

/* "; did you mean "x"" when one of known (NULL-terminated) resembles text, else "". */
const char *suggestion_for(struct arena *arena, const char *text, const char *const *known);

/* "a", "b", "c" of a NULL-terminated list. */
const char *quoted_list(struct arena *arena, const char *const *items);

/* Keys of a table, NULL-terminated; of those with all bits of flags. */
const char *const *setting_keys(struct arena *arena, const struct setting *settings, unsigned flags);

/* setting.c */

/* Puts the defaults of a table into a section's struct. */
void settings_fill(struct loader *loader, const struct setting *settings, void *base);

/* Puts what the file says into it: object's members, whose path is path. flags: only settings that have them.
 */
void settings_apply(struct loader *loader, const struct setting *settings, unsigned flags, const json_t *object,
    const char *path, void *base);

/* Puts an environment variable's text into one setting; false when it is not valid there. */
bool setting_apply_variable(
    struct loader *loader, const struct setting *settings, const char *key, const char *variable, void *base);

/* entries.c */
void loader_providers(struct loader *loader);
void loader_functions(struct loader *loader);

/* environment.c */
void loader_environment(struct loader *loader);

#endif
