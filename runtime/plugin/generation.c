/*
 * Loading a plugin; see generation.h. ABI and size are compared before anything of the plugin runs.
 */
#include "generation.h"

#include "build_id.h"
#include "object.h"

#include <arena.h>

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* What every version has had: a plugin whose descriptor ends before its handler says nothing. */
    SHORTEST_DESCRIPTOR = offsetof(edge_function, methods)
};

/* Whatever else is wrong with it, a plugin is mended by building it again with this host's headers. */
static int refuse_abi(const char *path, const char *name, const char *problem, struct load_error *error)
{
    snprintf(error->text, sizeof error->text,
        "%s %s; this host has SDK ABI %d.%d. Rebuild it: scripts/build %s, or, outside of the host's tree,"
        " cc $(pkg-config --cflags edge) -shared -o %s.so %s.c",
        path, problem, EDGE_ABI_MAJOR, EDGE_ABI_MINOR, name, name, name);
    return -EPROTO;
}

/* Before anything of the plugin runs, its constructors included. */
static int check_abi(const char *path, const char *name, const struct object *object, struct load_error *error)
{
    char problem[160];
    if (object->abi_major != EDGE_ABI_MAJOR || object->abi_minor > EDGE_ABI_MINOR) {
        snprintf(problem, sizeof problem, "was built for SDK ABI %u.%u", object->abi_major, object->abi_minor);
        return refuse_abi(path, name, problem, error);
    }
    if (object->descriptor_size > sizeof(edge_function) || object->descriptor_size < SHORTEST_DESCRIPTOR ||
        object->descriptor_size > object->symbol_size) {
        snprintf(problem, sizeof problem,
            "was built for SDK ABI %u.%u with a descriptor of %u bytes, where %zu to %zu are known",
            object->abi_major, object->abi_minor, object->descriptor_size, (size_t)SHORTEST_DESCRIPTOR,
            sizeof(edge_function));
        return refuse_abi(path, name, problem, error);
    }
    return 0;
}

static int check_file(const char *path, const char *name, struct load_error *error)
{
    struct object object;
    char reason[256];
    int result = object_read(path, &object, reason, sizeof reason);
    if (result == -ENOENT) {
        snprintf(error->text, sizeof error->text, "%s is not there. Build it: scripts/build %s", path, name);
        return result;
    }
    if (result < 0) {
        snprintf(error->text, sizeof error->text, "%s %s. Rebuild it: scripts/build %s", path, reason, name);
        return result;
    }
    if (!object.has_descriptor) {
        snprintf(
            error->text, sizeof error->text, "%s exports no edge_plugin. Declare it with EDGE_FUNCTION", path);
        return -ENOEXEC;
    }
    return check_abi(path, name, &object, error);
}

static int check_descriptor(
    const char *path, const char *name, const edge_function *function, struct load_error *error)
{
    if (function->name == NULL || strcmp(function->name, name) != 0) {
        snprintf(error->text, sizeof error->text, "%s declares function \"%s\", functions.toml expects \"%s\"",
            path, function->name != NULL ? function->name : "", name);
        return -EINVAL;
    }
    if ((function->handle == NULL && function->session == NULL) || function->summary == NULL) {
        snprintf(
            error->text, sizeof error->text, "%s declares neither .handle nor .session, or no .summary", path);
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

static int open_library(
    struct generation *generation, const char *path, const char *name, struct load_error *error)
{
    generation->library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (generation->library == NULL) {
        snprintf(error->text, sizeof error->text, "%s", dlerror());
        return -ENOEXEC;
    }
    const edge_function *plugin = dlsym(generation->library, "edge_plugin");
    if (plugin == NULL) {
        snprintf(error->text, sizeof error->text, "%s exports no edge_plugin", path);
        return -ENOEXEC;
    }
    /* Once more, for a file that was replaced between the two. */
    const struct object loaded = { .abi_major = plugin->abi_major,
        .abi_minor = plugin->abi_minor,
        .descriptor_size = plugin->size,
        .symbol_size = plugin->size };
    int result = check_abi(path, name, &loaded, error);
    if (result < 0)
        return result;
    memcpy(&generation->descriptor, plugin, plugin->size);
    build_id_of(plugin, generation->id, sizeof generation->id);
    return 0;
}

static void unload(struct generation *generation)
{
    if (generation->library != NULL)
        dlclose(generation->library);
    free_env(generation->env);
    free(generation);
}

static int open_file(
    struct generation *generation, const char *path, const char *name, struct load_error *error)
{
    int result = check_file(path, name, error);
    if (result == 0)
        result = open_library(generation, path, name, error);
    return result == 0 ? check_descriptor(path, name, &generation->descriptor, error) : result;
}

int generation_summary(const struct config *config, const struct function_config *function, char *text,
    size_t size, struct load_error *error)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s.so", config->server.plugins, function->plugin);
    struct generation *generation = calloc(1, sizeof *generation);
    if (generation == NULL)
        return -ENOMEM;
    int result = open_file(generation, path, function->plugin, error);
    if (result == 0)
        snprintf(text, size, "%s", generation->descriptor.summary);
    unload(generation);
    return result;
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
    generation->function = &generation->descriptor;

    generation->env = read_env(function);
    int result = generation->env != NULL ? open_file(generation, path, function->plugin, error) : -ENOMEM;
    if (result == 0)
        result = start_plugin(generation, path, error);
    if (result < 0) {
        unload(generation);
        return result;
    }
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
