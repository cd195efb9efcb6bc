/*
 * Looking into plugins; see plugin_look.h.
 */
#include "cli/plugin_look.h"

#include "config/config.h"
#include "plugin/plugin.h"

#include <limits.h>
#include <stdio.h>

struct plugin *plugin_look(
    const struct config *config, const struct function_config *function, char *reason, size_t size)
{
    char path[PATH_MAX];
    struct load_error error;
    struct plugin *plugin = NULL;
    snprintf(path, sizeof path, "%s/%s.so", config->server.plugins, function->plugin);
    const struct plugin_source source = { .name = function->plugin, .file = path, .shown = path };
    if (plugin_open(&source, &plugin, &error) == 0)
        return plugin;
    snprintf(reason, size, "%s", error.text);
    return NULL;
}
