/*
 * Loading a plugin; see plugin.h. ABI and size are compared before anything of the plugin runs.
 */
#include "plugin.h"

#include "build_id.h"
#include "descriptors.h"
#include "imports.h"
#include "object.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* What every version has had: a plugin whose descriptor ends before its handler says nothing. */
    SHORTEST_DESCRIPTOR = offsetof(edge_function, methods)
};

static struct plugin *open_plugins;

/*
 * Whatever else is wrong with it, a plugin is mended by building it again with this host's headers; one that is
 * newer than the host also by a newer host.
 */
static int refuse_abi(
    const struct plugin_source *source, const char *problem, bool newer, struct load_error *error)
{
    snprintf(error->text, sizeof error->text,
        "%s %s; this host has SDK ABI %d.%d. %sebuild it: scripts/build %s, or, outside of the host's tree,"
        " cc $(pkg-config --cflags edge) -shared -o %s.so %s.c",
        source->shown, problem, EDGE_ABI_MAJOR, EDGE_ABI_MINOR,
        newer ? "Upgrade the host (edge upgrade), or r" : "R", source->name, source->name, source->name);
    return -EPROTO;
}

/* Before anything of the plugin runs, its constructors included. */
static int check_abi(const struct plugin_source *source, const struct object *object, struct load_error *error)
{
    char problem[160];
    bool newer = object->abi_major > EDGE_ABI_MAJOR ||
                 (object->abi_major == EDGE_ABI_MAJOR && object->abi_minor > EDGE_ABI_MINOR);
    if (object->abi_major != EDGE_ABI_MAJOR || newer) {
        snprintf(problem, sizeof problem, "was built for SDK ABI %u.%u", object->abi_major, object->abi_minor);
        return refuse_abi(source, problem, newer, error);
    }
    if (object->descriptor_size > sizeof(edge_function) || object->descriptor_size < SHORTEST_DESCRIPTOR ||
        object->descriptor_size > object->symbol_size) {
        snprintf(problem, sizeof problem,
            "was built for SDK ABI %u.%u with a descriptor of %u bytes, where %zu to %zu are known",
            object->abi_major, object->abi_minor, object->descriptor_size, (size_t)SHORTEST_DESCRIPTOR,
            sizeof(edge_function));
        return refuse_abi(source, problem, false, error);
    }
    return 0;
}

static int check_file(const struct plugin_source *source, struct object *object, struct load_error *error)
{
    char reason[256];
    int result = object_read(source->file, object, reason, sizeof reason);
    if (result == -ENOENT) {
        snprintf(error->text, sizeof error->text, "%s is not there. Build it: scripts/build %s", source->shown,
            source->name);
        return result;
    }
    if (result < 0) {
        snprintf(error->text, sizeof error->text, "%s %s. Rebuild it: scripts/build %s", source->shown, reason,
            source->name);
        return result;
    }
    if (!object->has_descriptor) {
        snprintf(error->text, sizeof error->text, "%s exports no edge_plugin. Declare it with EDGE_FUNCTION",
            source->shown);
        return -ENOEXEC;
    }
    if (object->banned[0] != '\0') {
        snprintf(error->text, sizeof error->text,
            "%s imports %s, which ends or changes the whole process. Use the SDK's calls (docs/sdk.md)",
            source->shown, object->banned);
        return -EPERM;
    }
    return check_abi(source, object, error);
}

static int check_descriptor(
    const struct plugin_source *source, const edge_function *function, struct load_error *error)
{
    if (function->name == NULL || strcmp(function->name, source->name) != 0) {
        snprintf(error->text, sizeof error->text, "%s declares function \"%s\", functions.toml expects \"%s\"",
            source->shown, function->name != NULL ? function->name : "", source->name);
        return -EINVAL;
    }
    if ((function->handle == NULL && function->session == NULL) || function->summary == NULL) {
        snprintf(error->text, sizeof error->text, "%s declares neither .handle nor .session, or no .summary",
            source->shown);
        return -EINVAL;
    }
    return 0;
}

/* dlerror() speaks of the private copy; who reads it knows the file. */
static void say_unloadable(const struct plugin_source *source, struct load_error *error)
{
    const char *said = dlerror(), *behind = said != NULL ? strstr(said, source->file) : NULL;
    behind = behind != NULL ? behind + strlen(source->file) : said;
    if (behind != NULL && strncmp(behind, ": ", 2) == 0)
        behind += 2;
    snprintf(error->text, sizeof error->text, "%s cannot be loaded: %s", source->shown,
        behind != NULL ? behind : "no reason given");
}

static int open_library(struct plugin *plugin, const struct plugin_source *source, struct load_error *error)
{
    struct object object;
    int result = check_file(source, &object, error);
    if (result < 0)
        return result;
    /* Destructors of threads' variables, and functions left with atexit, may run after the last invocation. */
    int stay = object.keeps_mapped ? RTLD_NODELETE : 0;
    plugin->library = dlopen(source->file, RTLD_NOW | RTLD_LOCAL | stay);
    if (plugin->library == NULL) {
        say_unloadable(source, error);
        return -ENOEXEC;
    }
    plugin->next = open_plugins;
    open_plugins = plugin;
    imports_replace(plugin->library, descriptors_call);
    const edge_function *function = dlsym(plugin->library, "edge_plugin");
    if (function == NULL) {
        snprintf(error->text, sizeof error->text, "%s exports no edge_plugin", source->shown);
        return -ENOEXEC;
    }
    memcpy(&plugin->descriptor, function, object.descriptor_size);
    plugin->seals = object.seals;
    plugin->queries = object.queries;
    build_id_of(function, plugin->id, sizeof plugin->id);
    return check_descriptor(source, &plugin->descriptor, error);
}

int plugin_open(const struct plugin_source *source, struct plugin **out, struct load_error *error)
{
    struct plugin *plugin = calloc(1, sizeof *plugin);
    int result = -ENOMEM;
    snprintf(error->text, sizeof error->text, "%s: out of memory", source->shown);
    if (plugin == NULL)
        return result;
    plugin->users = 1;
    plugin->file = strdup(source->file);
    if (plugin->file != NULL)
        result = open_library(plugin, source, error);
    if (result < 0) {
        plugin_release(plugin);
        return result;
    }
    *out = plugin;
    return 0;
}

static int check_required_env(
    const struct plugin *plugin, const struct plugin_source *source, struct load_error *error)
{
    const char *const *name = plugin->descriptor.env;
    for (; name != NULL && *name != NULL; name++) {
        const char *value = getenv(*name);
        if (value != NULL && value[0] != '\0')
            continue;
        snprintf(error->text, sizeof error->text, "%s needs the environment variable %s, which is not set",
            source->shown, *name);
        return -ENOKEY;
    }
    return 0;
}

int plugin_start(struct plugin *plugin, const struct plugin_source *source, struct load_error *error)
{
    int result = check_required_env(plugin, source, error);
    if (result < 0)
        return result;
    result = plugin->descriptor.init != NULL ? plugin->descriptor.init(&plugin->state) : 0;
    if (result != 0) {
        snprintf(error->text, sizeof error->text, "%s: init answered %d", source->shown, result);
        return -ECANCELED;
    }
    plugin->started = true;
    return 0;
}

void plugin_use(struct plugin *plugin)
{
    plugin->users++;
}

static void close_library(struct plugin *plugin)
{
    struct plugin **at = &open_plugins;
    while (*at != plugin)
        at = &(*at)->next;
    *at = plugin->next;
    dlclose(plugin->library);
}

bool plugin_contains(const void *address)
{
    struct dl_find_object object;
    if (_dl_find_object((void *)address, &object) != 0)
        return false;
    const struct plugin *plugin = open_plugins;
    while (plugin != NULL && plugin->library != object.dlfo_link_map)
        plugin = plugin->next;
    return plugin != NULL;
}

void plugin_release(struct plugin *plugin)
{
    if (--plugin->users > 0)
        return;
    if (plugin->started && plugin->descriptor.exit != NULL)
        plugin->descriptor.exit(plugin->state);
    if (plugin->library != NULL)
        close_library(plugin);
    free(plugin->file);
    free(plugin);
}
