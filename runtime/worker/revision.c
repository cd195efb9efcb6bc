/*
 * Revisions of a worker; see revision.h.
 *
 * Builds that were replaced stay mapped for a while, so that going back to one of them is a change of pointers.
 */
#include "revision.h"

#include "backtrace.h"
#include "http/route.h"
#include "http/websocket.h"
#include "jobs/jobs.h"
#include "plugin/generation.h"
#include "state.h"
#include "supervisor/registry.h"

#include <context.h>
#include <log.h>

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAPPED_MAX = 1 + REGISTRY_PREVIOUS_MAX /* builds of a function that stay mapped */
};

/* A build that this worker has loaded; newest use first. */
struct mapped {
    struct mapped *next;
    struct plugin *plugin;
    const struct registry_entry *function;
};

static bool wanted(const struct worker *worker, const struct function_config *function)
{
    return function->enabled && (!function->sandbox || worker->boot->sandbox);
}

/* --- builds --- */

static struct plugin *find_mapped(const struct worker *worker, int index, const char *file)
{
    const struct registry_entry *function = &worker->boot->registry->entries[index];
    for (const struct mapped *at = worker->mapped; at != NULL; at = at->next)
        if (at->function == function && strcmp(at->plugin->file, file) == 0)
            return at->plugin;
    return NULL;
}

/* The build of a file, in use once more. */
static int load(struct worker *worker, const struct routing *routing, const struct function_config *function,
    int index, const char *file, struct plugin **out, struct load_error *error)
{
    char shown[512];
    snprintf(shown, sizeof shown, "%s/%s.so", routing->config->server.plugins, function->plugin);
    const struct plugin_source source = { .name = function->plugin, .file = file, .shown = shown };
    struct plugin *plugin = index >= 0 ? find_mapped(worker, index, file) : NULL;
    if (plugin != NULL) {
        plugin_use(plugin);
        *out = plugin;
        return 0;
    }
    int result = plugin_open(&source, out, error);
    if (result == 0 && (result = plugin_start(*out, &source, error)) < 0) {
        plugin_release(*out);
        *out = NULL;
    }
    return result;
}

/* Moves the build to the front of those that stay mapped. */
static void keep_mapped(struct worker *worker, int index, struct plugin *plugin)
{
    if (index < 0)
        return;
    const struct registry_entry *function = &worker->boot->registry->entries[index];
    struct mapped **at = &worker->mapped, *found = NULL;
    while (*at != NULL && ((*at)->plugin != plugin || (*at)->function != function))
        at = &(*at)->next;
    if (*at != NULL) {
        found = *at;
        *at = found->next;
    } else if ((found = calloc(1, sizeof *found)) != NULL) {
        *found = (struct mapped){ .plugin = plugin, .function = function };
        plugin_use(plugin);
    } else {
        return; /* it is unmapped with its last user */
    }
    found->next = worker->mapped;
    worker->mapped = found;
}

static void unmap_old(struct worker *worker, unsigned most)
{
    struct mapped **at = &worker->mapped;
    while (*at != NULL) {
        struct mapped *one = *at;
        unsigned newer = 0;
        for (const struct mapped *other = worker->mapped; other != one; other = other->next)
            newer += other->function == one->function;
        if (newer < most) {
            at = &one->next;
            continue;
        }
        *at = one->next;
        plugin_release(one->plugin);
        free(one);
    }
}

/* --- making one --- */

static void revision_free(struct revision *revision)
{
    if (revision == NULL)
        return;
    size_t count = revision->routing != NULL ? revision->routing->config->function_count : 0;
    for (size_t i = 0; revision->generations != NULL && i < count; i++)
        if (revision->generations[i] != NULL)
            generation_drop(revision->generations[i]);
    if (revision->routing != NULL)
        routing_release(revision->routing);
    free(revision->generations);
    free(revision->config_file);
    free(revision);
}

/* Of the revision that is served, the generation that would be made once more; NULL: it would be another. */
static struct generation *same_generation(const struct worker *worker, const struct routing *routing, size_t i,
    const struct plugin *plugin, const struct plugin *canary)
{
    const struct revision *served = worker->revision;
    if (served == NULL || served->routing != routing || served->generations[i] == NULL)
        return NULL;
    struct generation *generation = served->generations[i];
    const struct plugin *its_canary = generation->canary != NULL ? generation->canary->plugin : NULL;
    return generation->plugin == plugin && its_canary == canary ? generation : NULL;
}

static struct generation *bind(struct worker *worker, struct routing *routing, size_t i, int index,
    struct plugin *plugin, struct plugin *canary)
{
    struct generation *generation = same_generation(worker, routing, i, plugin, canary);
    if (generation != NULL) {
        generation_own(generation);
        return generation;
    }
    const struct function_config *function = &routing->config->functions[i];
    generation = generation_create(routing, function, index, plugin);
    if (generation == NULL || canary == NULL)
        return generation;
    generation->canary = generation_create(routing, function, index, canary);
    if (generation->canary != NULL)
        return generation;
    generation_drop(generation);
    return NULL;
}

static int add_function(
    struct worker *worker, struct revision *revision, size_t i, const json_t *entry, struct load_error *error)
{
    const struct function_config *function = &revision->routing->config->functions[i];
    const char *file = json_string_value(json_object_get(entry, "file"));
    const char *canary_file = json_string_value(json_object_get(entry, "canary"));
    int index = registry_find(worker->boot->registry, function->name);
    struct plugin *plugin = NULL, *canary = NULL;
    if (file == NULL)
        return -ENOENT; /* refused by the gate, which has said why */
    int result = load(worker, revision->routing, function, index, file, &plugin, error);
    if (result == 0 && canary_file != NULL)
        result = load(worker, revision->routing, function, index, canary_file, &canary, error);
    if (result == 0) {
        revision->generations[i] = bind(worker, revision->routing, i, index, plugin, canary);
        if (revision->generations[i] == NULL) {
            snprintf(error->text, sizeof error->text, "%s: out of memory", function->name);
            result = -ENOMEM;
        }
    }
    if (plugin != NULL)
        plugin_release(plugin); /* the generation uses it now */
    if (canary != NULL)
        plugin_release(canary);
    return result;
}

/* The configuration that is served already, or the worker's first, or a new one. */
static int take_routing(struct worker *worker, struct revision *revision, struct load_error *error)
{
    const char *file = revision->config_file, *path = worker->boot->config->path;
    struct route_error routes = { "" };
    struct config_error problem = { "" };
    struct config *config = NULL;
    if (worker->revision != NULL && strcmp(worker->revision->config_file, file) == 0) {
        revision->routing = worker->revision->routing;
        routing_use(revision->routing);
        return 0;
    }
    int result = worker->revision == NULL ? 0 : config_load_copy(path, file, &config, &problem);
    if (result == 0)
        result =
            routing_create(config != NULL ? config : worker->boot->config, config, &revision->routing, &routes);
    if (result < 0) {
        snprintf(error->text, sizeof error->text, "%s%s", problem.text, routes.text);
        config_free(config);
    }
    return result;
}

static int add_functions(struct worker *worker, struct revision *revision, const json_t *manifest, bool strict,
    struct load_error *error)
{
    const struct config *config = revision->routing->config;
    const json_t *functions = json_object_get(manifest, "functions");
    revision->generations = calloc(config->function_count + 1, sizeof *revision->generations);
    if (revision->generations == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < config->function_count; i++) {
        const struct function_config *function = &config->functions[i];
        if (!wanted(worker, function))
            continue;
        int result = add_function(worker, revision, i, json_object_get(functions, function->name), error);
        if (result == 0)
            continue;
        revision->failed++;
        if (result == -ENOENT)
            continue;
        if (strict)
            return result;
        log_event(EDGE_LOG_ERROR, "function_not_loaded", { "function", edge_text(function->name) },
            { "reason", edge_text(error->text) });
    }
    return 0;
}

static int revision_create(
    struct worker *worker, const char *path, bool strict, struct revision **out, struct load_error *error)
{
    struct revision *revision = calloc(1, sizeof *revision);
    json_error_t problem;
    json_t *manifest = json_load_file(path, 0, &problem);
    snprintf(error->text, sizeof error->text, "%s: out of memory", path);
    int result = revision == NULL ? -ENOMEM : 0;
    if (result == 0 && manifest == NULL) {
        snprintf(error->text, sizeof error->text, "%s: %s", path, problem.text);
        result = -EINVAL;
    }
    if (result == 0) {
        const char *config = json_string_value(json_object_get(manifest, "config"));
        revision->number = (uint64_t)json_integer_value(json_object_get(manifest, "revision"));
        revision->config_file = strdup(config != NULL ? config : "");
        result = revision->config_file != NULL ? take_routing(worker, revision, error) : -ENOMEM;
    }
    if (result == 0)
        result = add_functions(worker, revision, manifest, strict, error);
    json_decref(manifest);
    if (result < 0) {
        revision_free(revision);
        return result;
    }
    *out = revision;
    return 0;
}

/* --- the worker's --- */

static void serve(struct worker *worker, struct revision *revision)
{
    worker->revision = revision;
    for (size_t i = 0; i < revision->routing->config->function_count; i++) {
        const struct generation *generation = revision->generations[i];
        if (generation == NULL)
            continue;
        if (generation->canary != NULL)
            keep_mapped(worker, generation->index, generation->canary->plugin);
        keep_mapped(worker, generation->index, generation->plugin);
    }
    unmap_old(worker, MAPPED_MAX);
    backtrace_note_objects();
}

int revision_start(struct worker *worker)
{
    struct load_error error;
    struct revision *revision = NULL;
    int64_t started_us = clock_us();
    int result = revision_create(worker, worker->boot->manifest, false, &revision, &error);
    if (result < 0) {
        log_event(EDGE_LOG_ERROR, "functions_not_loaded", { "reason", edge_text(error.text) });
        return result;
    }
    serve(worker, revision);
    size_t loaded = 0;
    for (size_t i = 0; i < revision->routing->config->function_count; i++)
        loaded += revision->generations[i] != NULL;
    log_event(EDGE_LOG_INFO, "functions_loaded", { "count", edge_int((int64_t)loaded) },
        { "refused", edge_int((int64_t)revision->failed) }, { "us", edge_int(clock_us() - started_us) });
    return 0;
}

int revision_prepare(struct worker *worker, const char *manifest, struct load_error *error)
{
    revision_abandon(worker);
    return revision_create(worker, manifest, true, &worker->prepared, error);
}

void revision_abandon(struct worker *worker)
{
    revision_free(worker->prepared);
    worker->prepared = NULL;
}

void revision_follow(struct worker *worker)
{
    const struct registry *registry = worker->boot->registry;
    if (worker->prepared == NULL || worker->server.draining ||
        atomic_load_explicit(&registry->revision, memory_order_acquire) < worker->prepared->number)
        return;
    struct revision *before = worker->revision;
    bool configured = before->routing != worker->prepared->routing;
    serve(worker, worker->prepared);
    worker->prepared = NULL;
    revision_free(before);
    websocket_retire();
    if (configured)
        jobs_reconfigured();
}

struct generation *revision_find(struct worker *worker, const char *name)
{
    revision_follow(worker);
    const struct config *config = worker->revision->routing->config;
    const struct function_config *function = config_function(config, name);
    return function != NULL ? worker->revision->generations[function - config->functions] : NULL;
}

struct generation *revision_current(struct worker *worker, struct generation *generation)
{
    revision_follow(worker);
    return generation->owners > 0 ? generation : revision_find(worker, generation->config->name);
}

void revision_stop(struct worker *worker)
{
    revision_abandon(worker);
    revision_free(worker->revision);
    worker->revision = NULL;
    unmap_old(worker, 0);
}
