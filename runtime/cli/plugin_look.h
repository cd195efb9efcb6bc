/*
 * What a function's plugin declares, for commands: the file is checked and opened, and not started.
 */
#ifndef PLUGIN_LOOK_H
#define PLUGIN_LOOK_H

#include <stddef.h>

struct config;
struct function_config;
struct plugin;

/* The plugin, to be given back with plugin_release; NULL, and why in reason, when it cannot be opened. */
struct plugin *plugin_look(
    const struct config *config, const struct function_config *function, char *reason, size_t size);

#endif
