/*
 * edge config: validates functions.toml, and explains its keys.
 */
#include "cli/command.h"
#include "cli/json_print.h"
#include "cli/table.h"
#include "config/config.h"
#include "config/schema.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static int check(const char *path, bool json)
{
    struct config *config;
    struct config_error error;
    if (config_load(path, &config, &error) != 0) {
        json_t *answer = json_pack("{s:b, s:s}", "valid", 0, "error", error.text);
        if (json)
            json_print(stdout, answer);
        json_decref(answer);
        return json ? (putchar('\n'), STATUS_FAILED) : failure("%s", error.text);
    }
    size_t enabled = 0;
    for (size_t i = 0; i < config->function_count; i++)
        enabled += config->functions[i].enabled;
    if (json)
        printf("{\"valid\":true,\"functions\":%zu,\"enabled\":%zu}\n", config->function_count, enabled);
    else
        printf("%s is valid: %zu function%s, %zu of them on\n", path, config->function_count,
            config->function_count == 1 ? "" : "s", enabled);
    config_free(config);
    return STATUS_DONE;
}

static void keys_add(struct table *table, const char *section, const struct setting *settings, unsigned flags)
{
    for (; settings->key != NULL; settings++) {
        char key[96];
        if ((settings->flags & flags) != flags)
            continue;
        snprintf(key, sizeof key, "%s%s", section, settings->key);
        table_add(table,
            (const char *[]){ key, settings->fallback == NULL ? "-" : settings->fallback, settings->help });
    }
}

static int keys(const char *path, bool json)
{
    (void)path;
    static const char *const heading[] = { "KEY", "DEFAULT", "MEANING" };
    struct table table = { .columns = sizeof heading / sizeof *heading };
    table_add(&table, heading);
    for (const struct section *section = sections; section->name != NULL; section++) {
        char prefix[32];
        snprintf(prefix, sizeof prefix, "%s.", section->name);
        keys_add(&table, prefix, section->settings, 0);
    }
    keys_add(&table, "providers.<name>.", provider_settings, 0);
    keys_add(&table, "defaults.", function_settings, SETTING_DEFAULT);
    keys_add(&table, "functions.<name>.", function_settings, 0);
    (json ? table_print_json : table_print)(&table);
    return STATUS_DONE;
}

static int list_providers(const char *path, bool json)
{
    struct config *config;
    if (!config_open(path, &config))
        return STATUS_FAILED;
    static const char *const heading[] = { "PROVIDER", "BASE URL", "KEY", "SET" };
    struct table table = { .columns = sizeof heading / sizeof *heading };
    table_add(&table, heading);
    for (size_t i = 0; i < config->provider_count; i++) {
        const struct provider_config *provider = &config->providers[i];
        bool keyed = provider->key_variable != NULL || provider->key != NULL;
        table_add(&table, (const char *[]){
                              provider->name,
                              provider->base_url == NULL ? "-" : provider->base_url,
                              provider->key_variable == NULL ? "-" : provider->key_variable,
                              !keyed                  ? "-"
                              : provider->key == NULL ? "no"
                                                      : "yes",
                          });
    }
    (json ? table_print_json : table_print)(&table);
    config_free(config);
    return STATUS_DONE;
}

static const struct {
    const char *name;
    int (*run)(const char *path, bool json);
} subcommands[] = { { "check", check }, { "keys", keys }, { "providers", list_providers } };

static int run(int argc, char **argv)
{
    const char *path = "functions.toml", *subcommand = NULL;
    bool json = false;
    const struct cli_option options[] = {
        { NULL, "check|keys|providers", "validate the file, list every key, or list the providers",
            .text = &subcommand },
        { "config", "FILE", "the configuration (functions.toml)", .text = &path },
        { "json", NULL, "print JSON", .flag = &json },
        { 0 },
    };
    int status = options_read(&config_command, options, argc, argv);
    if (status != OPTIONS_READ)
        return status;
    for (size_t i = 0; subcommand != NULL && i < sizeof subcommands / sizeof *subcommands; i++)
        if (strcmp(subcommands[i].name, subcommand) == 0)
            return subcommands[i].run(path, json);
    return usage_error(&config_command, "say what to do: check, keys or providers");
}

const struct command config_command = {
    .name = "config",
    .summary = "Validate functions.toml, or explain its keys",
    .details = "What the environment says (DATABASE_URL, <PROVIDER>_BASE_URL …) is part of what is checked.\n"
               "The status of check is 1 when something is wrong.\n",
    .examples = "  edge config check\n"
                "  edge config check --config /etc/edge/functions.toml\n"
                "  edge config keys\n"
                "  edge config providers --json\n",
    .run = run,
};
