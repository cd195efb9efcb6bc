/*
 * Generations; see generation.h.
 */
#include "generation.h"

#include <stdlib.h>
#include <string.h>

static bool add_variable(edge_header *env, size_t *count, const char *name)
{
    const char *value = getenv(name);
    env[*count].name = strdup(name);
    env[*count].value = strdup(value != NULL ? value : "");
    (*count)++;
    return env[*count - 1].name != NULL && env[*count - 1].value != NULL;
}

static void free_env(edge_header *env)
{
    for (edge_header *variable = env; variable != NULL && variable->name != NULL; variable++) {
        free((char *)variable->name);
        free((char *)variable->value);
    }
    free(env);
}

/* A function sees what functions.toml lists for it, and its webhook's secret, and nothing else. */
static edge_header *read_env(const struct function_config *config)
{
    size_t count = 0, listed = 0;
    while (config->env != NULL && config->env[listed] != NULL)
        listed++;
    edge_header *env = calloc(listed + 3, sizeof *env);
    bool ok = env != NULL;
    for (size_t i = 0; ok && i < listed; i++)
        ok = add_variable(env, &count, config->env[i]);
    if (ok && config->webhook_secret != NULL)
        ok = add_variable(env, &count, config->webhook_secret);
    if (ok && config->webhook_secret_fallback != NULL)
        ok = add_variable(env, &count, config->webhook_secret_fallback);
    if (ok)
        return env;
    free_env(env);
    return NULL;
}

struct generation *generation_create(
    struct routing *routing, const struct function_config *config, int index, struct plugin *plugin)
{
    struct generation *generation = calloc(1, sizeof *generation);
    edge_header *env = generation != NULL ? read_env(config) : NULL;
    if (env == NULL) {
        free(generation);
        return NULL;
    }
    *generation = (struct generation){
        .config = config,
        .index = index,
        .function = &plugin->descriptor,
        .state = plugin->state,
        .env = env,
        .id = plugin->id,
        .plugin = plugin,
        .routing = routing,
        .owners = 1,
    };
    plugin_use(plugin);
    routing_use(routing);
    return generation;
}

void generation_hold(struct generation *generation)
{
    generation->holders++;
}

static void end(struct generation *generation)
{
    plugin_release(generation->plugin);
    routing_release(generation->routing);
    free_env(generation->env);
    free(generation);
}

void generation_release(struct generation *generation)
{
    if (--generation->holders == 0 && generation->owners == 0)
        end(generation);
}

void generation_own(struct generation *generation)
{
    generation->owners++;
}

void generation_drop(struct generation *generation)
{
    if (--generation->owners > 0)
        return;
    if (generation->canary != NULL)
        generation_drop(generation->canary);
    generation->canary = NULL;
    if (generation->holders == 0)
        end(generation);
}
