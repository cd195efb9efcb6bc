/*
 * edge routes: which path is served by which function.
 */
#include "cli/command.h"
#include "cli/functions_markdown.h"
#include "cli/json_print.h"
#include "cli/plugin_look.h"
#include "cli/table.h"
#include "config/config.h"
#include "http/route.h"
#include "plugin/plugin.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_route(const void *a, const void *b)
{
    const struct function_config *const *first = a, *const *second = b;
    return strcmp((*first)->route, (*second)->route);
}

/* The methods that the plugin declares; "-": it cannot be opened. */
static void methods_format(
    const struct config *config, const struct function_config *function, char *text, size_t size)
{
    char reason[1024];
    struct plugin *plugin = plugin_look(config, function, reason, sizeof reason);
    const char *methods = plugin == NULL ? "-" : plugin->descriptor.methods;
    snprintf(text, size, "%s", methods == NULL ? "POST" : methods);
    if (plugin != NULL && plugin->descriptor.session != NULL)
        snprintf(text, size, "%s%sWS",
            plugin->descriptor.handle != NULL ? methods == NULL ? "POST" : methods : "",
            plugin->descriptor.handle != NULL ? " " : "");
    if (plugin != NULL)
        plugin_release(plugin);
}

static int list(const struct config *config, bool json)
{
    const struct function_config **sorted = calloc(config->function_count + 1, sizeof *sorted);
    size_t count = 0;
    if (sorted == NULL)
        abort();
    for (size_t i = 0; i < config->function_count; i++)
        if (config->functions[i].enabled)
            sorted[count++] = &config->functions[i];
    qsort(sorted, count, sizeof *sorted, by_route);

    struct table table = { .columns = 4 };
    table_add(&table, (const char *[]){ "ROUTE", "METHODS", "AUTH", "FUNCTION" });
    for (size_t i = 0; i < count; i++) {
        char methods[128], auth[64];
        methods_format(config, sorted[i], methods, sizeof methods);
        auth_format(sorted[i], auth, sizeof auth);
        table_add(&table, (const char *[]){ sorted[i]->route, methods, auth, sorted[i]->name });
    }
    (json ? table_print_json : table_print)(&table);
    free(sorted);
    return STATUS_DONE;
}

/* Says which function takes a path, with which parameters. */
static int show(const struct config *config, const char *path, bool json)
{
    struct route_table *table;
    struct route_error error;
    if (route_table_create(config->functions, config->function_count, &table, &error) != 0)
        return failure("%s", error.text);
    size_t length = strcspn(path, "?");
    char *scratch = malloc(route_scratch_bytes(table, length));
    struct route_match match;
    if (scratch == NULL)
        abort();
    int result = route_find(table, path, length, scratch, &match);
    if (result == 0 && json) {
        json_t *params = json_object();
        for (int i = 0; match.params[i].name != NULL; i++)
            json_object_set_new(params, match.params[i].name, json_string(match.params[i].value));
        json_t *answer = json_pack("{s:s, s:s, s:s, s:o}", "function", match.function->name, "route",
            match.function->route, "rest", match.rest, "params", params);
        json_print_indented(stdout, answer);
        putchar('\n');
        json_decref(answer);
    } else if (result == 0) {
        printf("%s  %s", match.function->name, match.function->route);
        for (int i = 0; match.params[i].name != NULL; i++)
            printf("  %s=%s", match.params[i].name, match.params[i].value);
        printf("%s%s\n", match.rest[0] != '\0' ? "  rest=" : "", match.rest);
    }
    free(scratch);
    route_table_free(table);
    return result == 0 ? STATUS_DONE : failure("no function is served at \"%s\"", path);
}

static int run(int argc, char **argv)
{
    const char *config_path = "functions.toml", *path = NULL;
    bool json = false;
    const struct cli_option options[] = {
        { NULL, "[PATH]", "which function takes this path", .text = &path },
        { "json", NULL, "print JSON", .flag = &json },
        { "config", "FILE", "the configuration (functions.toml)", .text = &config_path },
        { 0 },
    };
    int status = options_read(&routes_command, options, argc, argv);
    if (status != OPTIONS_READ)
        return status;
    struct config *config;
    if (!config_open(config_path, &config))
        return STATUS_FAILED;
    status = path != NULL ? show(config, path, json) : list(config, json);
    config_free(config);
    return status;
}

const struct command routes_command = {
    .name = "routes",
    .summary = "List paths and the functions that serve them",
    .details = "METHODS are those that the plugin declares, WS for a WebSocket session; \"-\": it is not "
               "built. The status\n"
               "is 1 when no function takes the path.\n",
    .examples = "  edge routes\n"
                "  edge routes /functions/v1/computePulse\n"
                "  edge routes --json\n",
    .run = run,
};
