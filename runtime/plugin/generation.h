/*
 * A generation: a plugin as a worker serves it, under one configuration of its function. Named by the plugin's
 * ELF build id.
 *
 * It is pinned by every request, invocation and socket that began with it (generation_hold), and goes away
 * when the worker has dropped it and the last of those has ended; with it the plugin and the configuration
 * that nobody else uses.
 */
#ifndef PLUGIN_GENERATION_H
#define PLUGIN_GENERATION_H

#include "config/config.h"
#include "plugin.h"
#include "routing.h"

#include <edge/function.h>
#include <edge/http.h>

struct generation {
    const struct function_config *config;
    int index;                     /* of the function's counters (registry.h) */
    const edge_function *function; /* descriptor */
    void *state;                   /* the plugin's, from init */
    edge_header *env;              /* the variables the function may see, ended by { 0 } */
    const char *id;                /* ELF build id, hexadecimal */
    struct plugin *plugin;
    struct routing *routing;   /* config is in it */
    struct generation *canary; /* serves config->canary per cent of the callers instead; NULL: nobody's */
    unsigned owners, holders;  /* revisions that list it; what runs with it */
};

/* Binds a started plugin, which it uses, to a function of a configuration; owned once. NULL: memory is short.
 */
struct generation *generation_create(
    struct routing *routing, const struct function_config *config, int index, struct plugin *plugin);

void generation_hold(struct generation *generation);
void generation_release(struct generation *generation);

void generation_own(struct generation *generation);

/* One owner less. Without owners it goes now, or with the last release. Its canary is dropped with it. */
void generation_drop(struct generation *generation);

#endif
