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
#include "plugin/plugin.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    USERS_SHOWN = 3
};

/* One variable; by name in the object that all of them are collected in: {"required","set","users":[…]}. */
static void need(json_t *needs, const char *name, bool required, bool set, const char *user)
{
    json_t *entry = json_object_get(needs, name);
    if (entry == NULL) {
        entry = json_pack("{s:b, s:b, s:[]}", "required", 0, "set", set, "users");
        json_object_set_new(needs, name, entry);
    }
    if (required)
        json_object_set_new(entry, "required", json_true());
    json_t *users = json_object_get(entry, "users");
    size_t i;
    json_t *known;
    json_array_foreach(users, i, known)
    {
        if (strcmp(json_string_value(known), user) == 0)
            return;
    }
    json_array_append_new(users, json_string(user));
}

static void need_variable(json_t *needs, const char *name, bool required, const char *user)
{
    need(needs, name, required, environment_get(name) != NULL, user);
}

/* What a plugin cannot be loaded without, and what its section lets it read. */
static void need_of_function(json_t *needs, const struct config *config, const struct function_config *function)
{
    char reason[1024];
    struct plugin *plugin = plugin_look(config, function, reason, sizeof reason);
    if (plugin == NULL)
        fprintf(stderr, "edge: what %s requires is not known: %s\n", function->name, reason);
    const char *const *required = plugin != NULL ? plugin->descriptor.env : NULL;
    for (; required != NULL && *required != NULL; required++)
        need_variable(needs, *required, true, function->name);
    if (plugin != NULL)
        plugin_release(plugin);
    for (const char **name = function->env; name != NULL && *name != NULL; name++)
        need_variable(needs, *name, false, function->name);
    if (function->webhook_secret == NULL)
        return;
    const char *fallback = function->webhook_secret_fallback;
    bool covered = fallback != NULL && environment_get(fallback) != NULL;
    need(needs, function->webhook_secret, !covered,
        environment_get(function->webhook_secret) != NULL || covered, function->name);
}

/* Who calls has to be found out somehow; a value may stand in the file instead of the environment. */
static void need_of_auth(json_t *needs, const struct config *config, const struct function_config *function)
{
    const struct auth_config *auth = &config->auth;
    bool users = function->auth == AUTH_USER || function->auth == AUTH_ADMIN ||
                 function->auth == AUTH_USER_OR_SERVICE || function->auth == AUTH_OPTIONAL;
    bool service = function->auth == AUTH_SERVICE || function->auth == AUTH_USER_OR_SERVICE;
    if (users) {
        need(needs, "CLERK_ISSUER", true, auth->issuer != NULL, "signed-in callers");
        need(needs, "CLERK_JWKS_URL", auth->jwt_key == NULL, auth->jwks_url != NULL || auth->jwt_key != NULL,
            "signed-in callers");
    }
    if (service)
        need(needs, "EDGE_SERVICE_KEY", function->auth == AUTH_SERVICE && function->schedule == NULL,
            auth->service_key != NULL, "callers with the service key");
}

static json_t *needs_of(const struct config *config)
{
    json_t *needs = json_object();
    need(needs, "DATABASE_URL", false, config->database.url != NULL, "the database");
    need(needs, "DATABASE_MIGRATE_URL", false, config->database.migrate_url != NULL, "edge migrate");
    for (size_t i = 0; i < config->function_count; i++) {
        const struct function_config *function = &config->functions[i];
        if (!function->enabled || function->sandbox)
            continue;
        need_of_auth(needs, config, function);
        need_of_function(needs, config, function);
    }
    for (size_t i = 0; i < config->provider_count; i++) {
        char user[128];
        const struct provider_config *provider = &config->providers[i];
        snprintf(user, sizeof user, "provider %s", provider->name);
        if (provider->key_variable != NULL)
            need(needs, provider->key_variable, false, provider->key != NULL, user);
    }
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

/* Prints the variables, or those that are missing; how many required ones are. */
static int print_needs(const json_t *needs, bool only_missing, int *shown)
{
    struct table table = { .columns = 4 };
    int missing = 0;
    const char *name;
    json_t *entry;
    *shown = 0;
    table_add(&table, (const char *[]){ "VARIABLE", "SET", "NEED", "WHO" });
    json_object_foreach((json_t *)needs, name, entry)
    {
        char users[512];
        bool set = json_is_true(json_object_get(entry, "set"));
        bool required = json_is_true(json_object_get(entry, "required"));
        missing += required && !set;
        if (only_missing && set)
            continue;
        users_format(json_object_get(entry, "users"), users, sizeof users);
        table_add(
            &table, (const char *[]){ name, set ? "yes" : "no", required ? "required" : "optional", users });
        ++*shown;
    }
    if (*shown > 0)
        table_print(&table);
    return missing;
}

static int print_json(const json_t *needs, bool only_missing)
{
    json_t *list = json_array();
    int missing = 0;
    const char *name;
    json_t *entry;
    json_object_foreach((json_t *)needs, name, entry)
    {
        bool set = json_is_true(json_object_get(entry, "set"));
        missing += json_is_true(json_object_get(entry, "required")) && !set;
        if (only_missing && set)
            continue;
        json_t *line = json_pack("{s:s}", "variable", name);
        json_object_update(line, entry);
        json_array_append_new(list, line);
    }
    json_print_indented(stdout, list);
    putchar('\n');
    json_decref(list);
    return missing;
}

static int show(const struct config *config, bool check, bool json)
{
    json_t *needs = needs_of(config);
    int shown, missing;
    if (json) {
        missing = print_json(needs, check);
    } else {
        missing = print_needs(needs, check, &shown);
        if (shown == 0)
            printf("nothing is missing\n");
    }
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
        "calls needs it. Optional is what a function may read. Values are never shown.\n",
    .examples = "  edge env\n"
                "  edge env --check\n"
                "  edge env --check --json | jq -r '.[].variable'\n",
    .run = run,
};
