/*
 * Descriptors of plugins' files; see catalogue.h.
 */
#include "cli/catalogue.h"

#include "cli/command.h"
#include "config/config.h"
#include "plugin/plugin.h"
#include "telemetry/openapi.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct catalogue {
    struct openapi_function *entries;
    struct plugin **plugins;
    size_t count;
};

static bool add(
    struct catalogue *catalogue, const struct config *config, const struct function_config *function)
{
    char path[PATH_MAX];
    struct load_error error;
    struct plugin *plugin;
    snprintf(path, sizeof path, "%s/%s.so", config->server.plugins, function->plugin);
    if (plugin_open(&(const struct plugin_source){ function->plugin, path, path }, &plugin, &error) < 0) {
        failure("%s", error.text);
        return false;
    }
    catalogue->plugins[catalogue->count] = plugin;
    catalogue->entries[catalogue->count++] =
        (struct openapi_function){ function, &plugin->descriptor, plugin->id };
    return true;
}

static json_t *document_of(const struct catalogue *catalogue)
{
    size_t length;
    char *text = openapi_text(catalogue->entries, catalogue->count, &length);
    json_t *document = text != NULL ? json_loadb(text, length, 0, NULL) : NULL;
    free(text);
    return document;
}

json_t *catalogue_read(const struct config *config)
{
    size_t room = config->function_count + 1;
    struct catalogue catalogue = { calloc(room, sizeof *catalogue.entries),
        calloc(room, sizeof(struct plugin *)), 0 };
    if (catalogue.entries == NULL || catalogue.plugins == NULL)
        abort();
    bool complete = true;
    for (size_t i = 0; i < config->function_count; i++) {
        const struct function_config *function = &config->functions[i];
        if (function->enabled && !function->sandbox)
            complete = add(&catalogue, config, function) && complete;
    }
    json_t *document = complete ? document_of(&catalogue) : NULL;
    for (size_t i = 0; i < catalogue.count; i++)
        plugin_release(catalogue.plugins[i]);
    free(catalogue.entries);
    free(catalogue.plugins);
    return document;
}

bool catalogue_write(const char *directory, const char *name, const char *text)
{
    char path[PATH_MAX];
    if (directory == NULL)
        return fputs(text, stdout) >= 0 && fflush(stdout) == 0;
    snprintf(path, sizeof path, "%s/%s", directory, name);
    bool made = mkdir(directory, 0777) == 0 || errno == EEXIST;
    FILE *file = made ? fopen(path, "we") : NULL;
    bool written = file != NULL && fputs(text, file) >= 0;
    if ((file != NULL && fclose(file) != 0) || !written)
        return failure("cannot write \"%s\": %s", path, strerror(errno)), false;
    return true;
}
