/*
 * Loading a plugin; see generation.h. ABI and size are compared before anything of the plugin is called.
 */
#include "generation.h"

#include "build_id.h"

#include <arena.h>

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int refuse_abi(const char *path, const edge_function *function, struct load_error *error)
{
    snprintf(error->text, sizeof error->text,
        "%s was built for SDK version %u.%u, this host has %u.%u. Rebuild it: scripts/build", path,
        function->abi_major, function->abi_minor, EDGE_ABI_MAJOR, EDGE_ABI_MINOR);
    return -EPROTO;
}

/* A minor version only adds members at the end: an older, shorter descriptor is completed with zeros. */
static int check_descriptor(const char *path, const struct function_config *config,
    const edge_function *function, struct load_error *error)
{
    if (function->abi_major != EDGE_ABI_MAJOR || function->abi_minor > EDGE_ABI_MINOR ||
        function->size != sizeof *function)
        return refuse_abi(path, function, error);
    if (strcmp(function->name, config->plugin) != 0) {
        snprintf(error->text, sizeof error->text, "%s declares function \"%s\", functions.toml expects \"%s\"",
            path, function->name, config->plugin);
        return -EINVAL;
    }
    if (function->handle == NULL || function->summary == NULL) {
        snprintf(error->text, sizeof error->text, "%s declares no .handle or no .summary", path);
        return -EINVAL;
    }
    return 0;
}

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
    edge_header *env = calloc(listed + 2, sizeof *env);
    bool ok = env != NULL;
    for (size_t i = 0; ok && i < listed; i++)
        ok = add_variable(env, &count, config->env[i]);
    if (ok && config->webhook_secret != NULL)
        ok = add_variable(env, &count, config->webhook_secret);
    if (ok)
        return env;
    free_env(env);
    return NULL;
}

static int check_required_env(const struct generation *generation, const char *path, struct load_error *error)
{
    const char *const *name = generation->function->env;
    for (; name != NULL && *name != NULL; name++) {
        const char *value = getenv(*name);
        if (value != NULL && value[0] != '\0')
            continue;
        snprintf(error->text, sizeof error->text, "%s needs the environment variable %s, which is not set",
            path, *name);
        return -ENOKEY;
    }
    return 0;
}

static int start_plugin(struct generation *generation, const char *path, struct load_error *error)
{
    int result = check_required_env(generation, path, error);
    if (result < 0)
        return result;
    result = generation->function->init != NULL ? generation->function->init(&generation->state) : 0;
    if (result != 0) {
        snprintf(error->text, sizeof error->text, "%s: init answered %d", path, result);
        return -ECANCELED;
    }
    return 0;
}

static int open_library(struct generation *generation, const char *path, struct load_error *error)
{
    generation->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (generation->library == NULL) {
        snprintf(error->text, sizeof error->text, "%s", dlerror());
        return -ENOEXEC;
    }
    generation->function = dlsym(generation->library, "edge_plugin");
    if (generation->function == NULL) {
        snprintf(
            error->text, sizeof error->text, "%s exports no edge_plugin; declare it with EDGE_FUNCTION", path);
        return -ENOEXEC;
    }
    return 0;
}

static void unload(struct generation *generation)
{
    if (generation->library != NULL)
        dlclose(generation->library);
    free_env(generation->env);
    free(generation);
}

int generation_load(const struct config *config, const struct function_config *function, int index,
    struct generation **out, struct load_error *error)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s.so", config->server.plugins, function->plugin);
    struct generation *generation = calloc(1, sizeof *generation);
    if (generation == NULL)
        return -ENOMEM;
    generation->config = function;
    generation->index = index;
    generation->env = read_env(function);

    int result = generation->env != NULL ? open_library(generation, path, error) : -ENOMEM;
    if (result == 0)
        result = check_descriptor(path, function, generation->function, error);
    if (result == 0)
        result = start_plugin(generation, path, error);
    if (result < 0) {
        unload(generation);
        return result;
    }
    build_id_of(generation->function, generation->id, sizeof generation->id);
    *out = generation;
    return 0;
}

void generation_hold(struct generation *generation)
{
    generation->holders++;
}

static void end(struct generation *generation)
{
    if (generation->function->exit != NULL)
        generation->function->exit(generation->state);
    unload(generation);
}

void generation_release(struct generation *generation)
{
    if (--generation->holders == 0 && generation->dropped)
        end(generation);
}

void generation_drop(struct generation *generation)
{
    generation->dropped = true;
    if (generation->holders == 0)
        end(generation);
}
