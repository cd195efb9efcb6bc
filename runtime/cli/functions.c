/*
 * edge functions: what functions.toml serves, and whether its plugins are there.
 */
#include "cli/build_id_file.h"
#include "cli/command.h"
#include "cli/functions_markdown.h"
#include "cli/json_print.h"
#include "cli/table.h"
#include "config/config.h"
#include "config/schema.h"
#include "config/units.h"
#include "supervisor/command.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum {
    BUILD_ID_SHOWN = 12
}; /* as in x-function-version: enough to tell generations apart */

void auth_format(const struct function_config *function, char *text, size_t size)
{
    if (function->auth == AUTH_WEBHOOK)
        snprintf(text, size, "webhook:%s", function->webhook_scheme);
    else
        snprintf(text, size, "%s", auth_modes[function->auth]);
}

/* The build id of the function's plugin, or what is the matter with its file. True when it can be served. */
static bool plugin_describe(
    const struct config *config, const struct function_config *function, char *text, size_t size)
{
    char path[4096], id[2 * 64 + 1];
    snprintf(path, sizeof path, "%s/%s.so", config->server.plugins, function->plugin);
    int result = build_id_of_file(path, id, sizeof id);
    if (result == 0)
        snprintf(text, size, "%.*s", BUILD_ID_SHOWN, id);
    else if (result == -ENOENT)
        snprintf(text, size, "missing");
    else if (result == -ENODATA)
        snprintf(text, size, "without build id");
    else
        snprintf(text, size, "unreadable: %s", strerror(-result));
    return result == 0;
}

/* How a function stands at the running host, NULL: there is none, or it does not serve the function. */
static const json_t *find_live(const json_t *live, const char *name)
{
    size_t i;
    json_t *entry;
    json_array_foreach(json_object_get(live, "functions"), i, entry)
    {
        const char *found = json_string_value(json_object_get(entry, "name"));
        if (found != NULL && strcmp(found, name) == 0)
            return entry;
    }
    return NULL;
}

static void print_problems(const json_t *live)
{
    size_t i;
    json_t *entry;
    json_array_foreach(json_object_get(live, "functions"), i, entry)
    {
        const json_t *problem = json_object_get(entry, "problem");
        if (problem != NULL)
            printf("\n%s, %s: %s\n", json_string_value(json_object_get(entry, "name")),
                json_string_value(json_object_get(problem, "at")),
                json_string_value(json_object_get(problem, "reason")));
    }
}

/* Milliseconds of a percentile; "-": nobody has called. */
static const char *percentile_format(const json_t *entry, const char *key, char text[32])
{
    const json_t *value = json_object_get(entry, key);
    double ms = json_number_value(value);
    if (!json_is_number(value))
        snprintf(text, 32, "-");
    else
        snprintf(text, 32, ms < 10 ? "%.1fms" : "%.0fms", ms);
    return text;
}

static const char *count_format(const json_t *entry, const char *key, char text[32])
{
    snprintf(text, 32, "%lld", (long long)json_integer_value(json_object_get(entry, key)));
    return text;
}

static const char *state_of(const struct function_config *function, const json_t *entry)
{
    const char *state = json_string_value(json_object_get(entry, "state"));
    if (state != NULL)
        return state;
    return function->enabled ? "on" : function->sandbox ? "sandbox" : "off";
}

/* What is limited, and when it runs by itself: what the file says. */
static void add_limits(struct table *table, const struct function_config *function, const char *route,
    const char *auth, const char *state, const char *plugin)
{
    char timeout[32], memory[32], rate[64];
    table_add(
        table, (const char *[]){ function->name, route, auth, duration_format(function->timeout_ms, timeout),
                   size_format((int64_t)function->memory_bytes, memory), rate_format(&function->rate, rate),
                   function->schedule == NULL ? "-" : function->schedule, state, plugin });
}

/* How it does: what a running host says. */
static void add_counts(struct table *table, const struct function_config *function, const char *route,
    const char *auth, const char *plugin, const json_t *entry)
{
    char calls[32], errors[32], p50[32], p99[32];
    table_add(table, (const char *[]){ function->name, route, auth, state_of(function, entry), plugin,
                         count_format(entry, "calls", calls), count_format(entry, "errors", errors),
                         percentile_format(entry, "p50Ms", p50), percentile_format(entry, "p99Ms", p99) });
}

/* Most functions are where they are expected, which need not be said a hundred times. */
static const char *route_shown(const struct function_config *function)
{
    bool usual = strncmp(function->route, "/functions/v1/", 14) == 0 &&
                 strcmp(function->route + 14, function->name) == 0;
    return usual ? "-" : function->route;
}

/* False when a function that is on has no plugin; a host that serves it may have other plugins than this shell.
 */
static bool function_add(struct table *table, const struct config *config,
    const struct function_config *function, const json_t *live, bool limits)
{
    char auth[64], plugin[128];
    auth_format(function, auth, sizeof auth);
    bool present = plugin_describe(config, function, plugin, sizeof plugin);
    const json_t *entry = find_live(live, function->name);
    const char *serving = json_string_value(json_object_get(entry, "generation"));
    if (serving != NULL)
        snprintf(plugin, sizeof plugin, "%.*s", BUILD_ID_SHOWN, serving);
    if (limits)
        add_limits(table, function, route_shown(function), auth, state_of(function, entry), plugin);
    else
        add_counts(table, function, route_shown(function), auth, plugin, entry);
    return present || serving != NULL || !function->enabled;
}

static int list(const struct config *config, bool limits)
{
    static const char *const counts_heading[] = { "FUNCTION", "ROUTE", "AUTH", "STATE", "BUILD", "CALLS",
        "ERRORS", "P50", "P99" };
    static const char *const limits_heading[] = { "FUNCTION", "ROUTE", "AUTH", "TIMEOUT", "MEMORY",
        "RATE LIMIT", "SCHEDULE", "STATE", "BUILD" };
    char problem[512];
    json_t *command = json_pack("{s:s}", "command", "status"),
           *live = command_send(config->path, command, problem, sizeof problem);
    struct table table = { .columns = 9 };
    limits = limits || live == NULL;
    table_add(&table, limits ? limits_heading : counts_heading);
    int status = STATUS_DONE;
    for (size_t i = 0; i < config->function_count; i++)
        if (!function_add(&table, config, &config->functions[i], live, limits))
            status = STATUS_FAILED;
    table_print(&table);
    print_problems(live);
    json_decref(command);
    json_decref(live);
    if (status == STATUS_FAILED)
        failure("not every plugin is in \"%s\". edge dev builds them; EDGE_PLUGINS names another directory",
            config->server.plugins);
    return status;
}

/* One object a function: the configuration's side, and what the running host says of it. */
static json_t *function_json(
    const struct config *config, const struct function_config *function, const json_t *live, bool *served)
{
    char auth[64], rate[64], plugin[128];
    auth_format(function, auth, sizeof auth);
    bool present = plugin_describe(config, function, plugin, sizeof plugin);
    const json_t *entry = find_live(live, function->name);
    *served = present || json_object_get(entry, "generation") != NULL || !function->enabled;
    json_t *object = json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:s, s:s?, s:s, s:b, s:s, s:s}", "name",
        function->name, "route", function->route, "auth", auth, "timeoutMs", (json_int_t)function->timeout_ms,
        "memoryBytes", (json_int_t)function->memory_bytes, "maxBodyBytes", (json_int_t)function->max_body_bytes,
        "rateLimit", rate_format(&function->rate, rate), "schedule", function->schedule, "timezone",
        function->timezone, "enabled", function->enabled, "state", state_of(function, entry),
        present ? "build" : "buildProblem", plugin);
    /* Of the host: generation, since, previous, problem, calls, errors, crashes, percentiles. */
    if (entry != NULL)
        json_object_update_missing(object, (json_t *)entry);
    return object;
}

static int list_json(const struct config *config)
{
    char problem[512];
    json_t *command = json_pack("{s:s}", "command", "status"),
           *live = command_send(config->path, command, problem, sizeof problem);
    json_t *functions = json_array();
    int status = STATUS_DONE;
    for (size_t i = 0; i < config->function_count; i++) {
        bool served;
        json_array_append_new(functions, function_json(config, &config->functions[i], live, &served));
        if (!served)
            status = STATUS_FAILED;
    }
    json_t *answer = json_pack("{s:b, s:o}", "running", live != NULL, "functions", functions);
    json_print_indented(stdout, answer);
    putchar('\n');
    json_decref(answer);
    json_decref(command);
    json_decref(live);
    return status;
}

static int run(int argc, char **argv)
{
    const char *path = "functions.toml", *sources = NULL;
    bool json = false, limits = false;
    const struct cli_option options[] = {
        { "config", "FILE", "the configuration (functions.toml)", .text = &path },
        { "limits", NULL, "limits and schedules, also when a host runs", .flag = &limits },
        { "markdown", "DIR", "a page for people, by the directories of DIR that the sources are in",
            .text = &sources },
        { "json", NULL, "print JSON", .flag = &json },
        { 0 },
    };
    int status = options_read(&functions_command, options, argc, argv);
    if (status != OPTIONS_READ)
        return status;

    struct config *config;
    if (!config_open(path, &config))
        return STATUS_FAILED;
    status = sources != NULL ? functions_markdown(config, sources)
             : json          ? list_json(config)
                             : list(config, limits);
    config_free(config);
    return status;
}

const struct command functions_command = {
    .name = "functions",
    .summary = "List the functions with routes, limits and plugins",
    .details =
        "Of a running host: calls and errors; without one: limits and schedules, as with --limits. ROUTE is\n"
        "/functions/v1/FUNCTION where it is not said.\n"
        "BUILD is a build id, as in the answer header x-function-version: of what the running host serves,\n"
        "or without one of the plugin's file. STATE is the host's: serving, quarantined, not_loaded, off.\n"
        "CALLS, ERRORS (answers of 500 and above) and the time that half and 99 of 100 calls took at most are\n"
        "counted since the host's start. What was refused or withdrawn is said below the table.\n"
        "The status is 1 when a function that is on has no usable plugin.\n",
    .examples = "  edge functions\n"
                "  edge functions --config /etc/edge/functions.toml\n"
                "  edge functions --json | jq -r '.functions[] | select(.errors > 0) | .name'\n"
                "  edge functions --markdown functions > docs/functions.md\n",
    .run = run,
};
