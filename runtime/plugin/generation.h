/*
 * A generation: one loaded build of one function's plugin, named by its ELF build id.
 *
 * It is pinned by every invocation that began with it (generation_hold), and unloaded when the worker has
 * dropped it and the last of those has ended.
 */
#ifndef PLUGIN_GENERATION_H
#define PLUGIN_GENERATION_H

#include "config/config.h"

#include <edge/function.h>
#include <edge/http.h>

struct generation {
    const struct function_config *config;
    int index;                     /* of the function in the configuration */
    const edge_function *function; /* descriptor */
    edge_function descriptor;      /* the plugin's; what an older one does not have yet is zero */
    void *state;                   /* the plugin's, from init */
    void *library;                 /* of dlopen */
    edge_header *env;              /* the variables the function may see, ended by { 0 } */
    char id[44];                   /* ELF build id, hexadecimal */
    unsigned holders;
    bool dropped;
};

struct load_error {
    char text[1024]; /* names the file and says what to do */
};

/* Loads a function's plugin. 0 and *generation, or a negative errno and *error. */
int generation_load(const struct config *config, const struct function_config *function, int index,
    struct generation **generation, struct load_error *error);

/*
 * Copies the summary that a function's plugin declares, without starting the plugin: for tools. 0, or a
 * negative errno and *error.
 */
int generation_summary(const struct config *config, const struct function_config *function, char *text,
    size_t size, struct load_error *error);

void generation_hold(struct generation *generation);
void generation_release(struct generation *generation);

/* The worker serves it no more: unloaded now, or by the last release. */
void generation_drop(struct generation *generation);

#endif
