/*
 * edge env: the environment variables that the configuration, the functions and their plugins ask for.
 */
#include "cli/command.h"
#include "cli/development_environment.h"
#include "cli/json_print.h"
#include "cli/plugin_look.h"
#include "cli/table.h"
#include "config/config.h"
#include "config/interpolate.h"
#include "config/needs.h"
#include "plugin/plugin.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    USERS_SHOWN = 3
};

/* What a plugin cannot be loaded without, and whether it seals. */
static void add_plugin(json_t *needs, const struct config *config, const struct function_config *function)
{
    char reason[1024];
    struct plugin *plugin = plugin_look(config, function, reason, sizeof reason);
    if (plugin == NULL) {
        fprintf(stderr, "edge: what %s requires is not known: %s\n", function->name, reason);
        return;
    }
    const char *const *required = plugin->descriptor.env;
    for (; required != NULL && *required != NULL; required++)
        needs_add(needs, *required, NEED_REQUIRED, environment_get(*required) != NULL, function->name);
    if (plugin->seals)
        needs_add(needs, "EDGE_ENCRYPTION_KEY", NEED_FEATURE, environment_get("EDGE_ENCRYPTION_KEY") != NULL,
            function->name);
    plugin_release(plugin);
}

static json_t *needs_with_plugins(const struct config *config)
{
    json_t *needs = needs_of(config);
    for (size_t i = 0; i < config->function_count; i++)
        if (config->functions[i].enabled && !config->functions[i].sandbox)
            add_plugin(needs, config, &config->functions[i]);
    return needs;
}

/* The first few users, and how many more there are. */
static void users_format(const json_t *users, char *text, size_t size)
{
    size_t count = json_array_size(users), length = 0;
    *text = '\0';
    for (size_t i = 0; i < count && i < USERS_SHOWN && length < size; i++)
        length += (size_t)snprintf(text + length, size - length, "%s%s", i > 0 ? ", " : "",
            json_string_value(json_array_get(users, i)));
    if (count > USERS_SHOWN && length < size)
        snprintf(text + length, size - length, " and %zu more", count - USERS_SHOWN);
}

static void print_table(const json_t *list)
{
    struct table table = { .columns = 4 };
    size_t i;
    json_t *entry;
    table_add(&table, (const char *[]){ "VARIABLE", "SET", "NEED", "WHO" });
    json_array_foreach((json_t *)list, i, entry)
    {
        char users[512];
        users_format(json_object_get(entry, "users"), users, sizeof users);
        table_add(&table, (const char *[]){ json_string_value(json_object_get(entry, "variable")),
                              json_is_true(json_object_get(entry, "set")) ? "yes" : "no",
                              json_string_value(json_object_get(entry, "need")), users });
    }
    table_print(&table);
}

/* How many required ones are missing. */
static int count_missing(const json_t *list)
{
    int missing = 0;
    size_t i;
    json_t *entry;
    json_array_foreach((json_t *)list, i, entry)
    {
        missing +=
            json_is_true(json_object_get(entry, "required")) && !json_is_true(json_object_get(entry, "set"));
    }
    return missing;
}

static int show(const struct config *config, bool check, bool json)
{
    json_t *needs = needs_with_plugins(config);
    json_t *list = check ? needs_missing(needs) : needs_sorted(needs);
    int missing = count_missing(list);
    if (json) {
        json_print_indented(stdout, list);
        putchar('\n');
    } else if (json_array_size(list) == 0) {
        printf("nothing is missing\n");
    } else {
        print_table(list);
    }
    json_decref(list);
    json_decref(needs);
    if (!check || missing == 0)
        return STATUS_DONE;
    return failure("%d required variable%s not set", missing, missing == 1 ? " is" : "s are");
}

static int run(int argc, char **argv)
{
    const char *path = "functions.toml";
    bool check = false, json = false, development = false;
    const struct cli_option options[] = {
        { "check", NULL, "only what is missing; status 1 when something required is", .flag = &check },
        { "dev", NULL, "with what `edge dev` has set up beside the file", .flag = &development },
        { "json", NULL, "print JSON", .flag = &json },
        { "config", "FILE", "the configuration (functions.toml)", .text = &path },
        { 0 },
    };
    int status = options_read(&env_command, options, argc, argv);
    if (status != OPTIONS_READ)
        return status;
    if (development && !development_environment_load(path))
        return failure("there is no development environment beside \"%s\". `edge dev` makes one", path);
    struct config *config;
    if (!config_open(path, &config))
        return STATUS_FAILED;
    status = show(config, check, json);
    config_free(config);
    return status;
}

const struct command env_command = {
    .name = "env",
    .summary = "List the environment variables that are asked for, and by whom",
    .details =
        "Required is what a function cannot be served without: its plugin says so, or its way of telling who\n"
        "calls needs it. A feature is a provider or a part of the host that answers 503 not_configured "
        "without\n"
        "it. Optional is what a function may read. A running host says what it lacks at /_edge/ready?verbose.\n"
        "Values are never shown.\n",
    .examples = "  edge env\n"
                "  edge env --check\n"
                "  edge env --check --json | jq -r '.[].variable'\n",
    .run = run,
};
