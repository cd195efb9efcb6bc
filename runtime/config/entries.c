/*
 * The sections that hold entries by name: [providers.<name>] and [functions.<name>].
 */
#include "interpolate.h"
#include "loader.h"
#include "memory.h"
#include "pattern.h"
#include "providers.h"

#include <stdlib.h>
#include <string.h>

/* An object's members in the order of the file. */
struct entry {
    const char *name, *path;
    const json_t *value;
    int line;
};

static int entry_compare(const void *a, const void *b)
{
    const struct entry *left = a, *right = b;
    if (left->line != right->line)
        return left->line < right->line ? -1 : 1;
    return strcmp(left->name, right->name);
}

static struct entry *entries_of(struct loader *loader, const char *section, size_t *count)
{
    json_t *object = json_object_get(loader->document.root, section);
    struct entry *entries = memory_take(loader->arena, (json_object_size(object) + 1) * sizeof *entries);
    *count = 0;
    if (object != NULL && !json_is_object(object)) {
        loader_report(loader, section, "is not a table; write [%s.<name>]", section);
        return entries;
    }

    const char *name;
    json_t *value;
    json_object_foreach(object, name, value)
    {
        const char *path = loader_path(loader, section, name);
        entries[(*count)++] =
            (struct entry){ memory_copy(loader->arena, name), path, value, toml_line(&loader->document, path) };
    }
    qsort(entries, *count, sizeof *entries, entry_compare);
    return entries;
}

static const char *const *provider_names(struct arena *arena)
{
    size_t count = 0;
    while (provider_table[count].name != NULL)
        count++;
    const char **names = memory_take(arena, (count + 1) * sizeof *names);
    for (size_t i = 0; i < count; i++)
        names[i] = provider_table[i].name;
    return names;
}

/* One trailing "/" of a base URL is not part of it: paths begin with one. */
static void base_url_trim(struct loader *loader, struct provider_config *config)
{
    size_t length = config->base_url == NULL ? 0 : strlen(config->base_url);
    if (length > 0 && config->base_url[length - 1] == '/')
        config->base_url = memory_copy_bytes(loader->arena, config->base_url, length - 1);
}

static void key_from_environment(
    struct loader *loader, struct provider_config *config, const struct provider *known)
{
    char variable[VARIABLE_MAX];
    const char *key = variables_get(known->key_variables, variable);
    if (key != NULL) {
        config->key = memory_copy(loader->arena, key);
        config->key_variable = memory_copy(loader->arena, variable);
    } else if (config->key_variable == NULL) {
        /* The one to name when a function needs the key. */
        config->key_variable = memory_copy(loader->arena, variables_first(known->key_variables, variable));
    }
}

static void provider_from_environment(struct loader *loader, struct provider_config *config)
{
    const struct provider *known = builtin_provider_find(config->name);
    char own[VARIABLE_MAX], variable[VARIABLE_MAX];
    if (variables_get(provider_url_variables(config->name, own), variable) != NULL)
        setting_apply_variable(
            loader, provider_settings, "base_url", memory_copy(loader->arena, variable), config);
    if (known != NULL && known->key_variables != NULL)
        key_from_environment(loader, config, known);
    base_url_trim(loader, config);
}

static void provider_from_file(struct loader *loader, struct provider_config *config, const struct entry *entry)
{
    config->named = true;
    settings_apply(loader, provider_settings, 0, entry->value, entry->path, config);
    const char *key = json_string_value(json_object_get(entry->value, "key"));
    if (key != NULL)
        config->key_variable = interpolate(loader->arena, key).variable;
}

static bool name_valid(const char *name, const char *characters)
{
    size_t length = strlen(name);
    return length > 0 && length <= 64 && strspn(name, characters) == length;
}

/* A provider that the table does not have: its own entry must say where it is. */
static void provider_check_new(
    struct loader *loader, const struct provider_config *config, const struct entry *entry)
{
    if (!name_valid(entry->name, "abcdefghijklmnopqrstuvwxyz0123456789_"))
        loader_report(loader, entry->path, "is no provider's name (a-z, 0-9, _, at most 64)");
    else if (config->base_url == NULL && json_object_get(entry->value, "base_url") == NULL &&
             config->url_host == NULL && !config->public_urls)
        loader_report(loader, entry->path, "is no provider that the runtime knows, so it needs a base_url%s",
            suggestion_for(loader->arena, entry->name, provider_names(loader->arena)));
}

static struct provider_config *provider_add(struct loader *loader, const char *name)
{
    struct config *config = loader->config;
    struct provider_config *added = &config->providers[config->provider_count++];
    settings_fill(loader, provider_settings, added);
    added->name = name;
    return added;
}

static struct provider_config *provider_configured(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->provider_count; i++)
        if (strcmp(config->providers[i].name, name) == 0)
            return &config->providers[i];
    return NULL;
}

void loader_providers(struct loader *loader)
{
    size_t known = 0, count;
    const struct entry *entries = entries_of(loader, "providers", &count);
    while (provider_table[known].name != NULL)
        known++;
    struct config *config = loader->config;
    config->providers = memory_take(loader->arena, (known + count) * sizeof *config->providers);

    for (const struct provider *provider = provider_table; provider->name != NULL; provider++) {
        struct provider_config *added = provider_add(loader, provider->name);
        added->base_url = provider->base_url;
        added->key_header = provider->key_header;
        added->url_host = provider->url_host;
        added->public_urls = provider->public_urls;
    }
    for (size_t i = 0; i < count; i++) {
        struct provider_config *entry = provider_configured(config, entries[i].name);
        bool new = entry == NULL;
        if (new)
            entry = provider_add(loader, entries[i].name);
        provider_from_file(loader, entry, &entries[i]);
        if (new)
            provider_check_new(loader, entry, &entries[i]);
    }
    for (size_t i = 0; i < config->provider_count; i++)
        provider_from_environment(loader, &config->providers[i]);
}

static void function_check(struct loader *loader, const struct function_config *function, const char *path)
{
    bool webhook = function->auth == AUTH_WEBHOOK;
    if (webhook && function->webhook_secret == NULL)
        loader_report(loader, path,
            "has auth \"webhook:%s\" but no webhook_secret, the name of the variable that holds the secret",
            function->webhook_scheme);
    if (!webhook && function->webhook_secret != NULL)
        loader_report(
            loader, loader_path(loader, path, "webhook_secret"), "belongs to auth \"webhook:<scheme>\" only");
    if (function->webhook_secret == NULL && function->webhook_secret_fallback != NULL)
        loader_report(
            loader, loader_path(loader, path, "webhook_secret_fallback"), "belongs to a webhook_secret only");

    size_t largest = loader->config->server.max_body_bytes;
    if (function->max_body_bytes > largest)
        loader_report(loader, loader_path(loader, path, "max_body"),
            "is larger than [server] max_body, which is %zu bytes", largest);
}

static void function_from_file(
    struct loader *loader, const struct entry *entry, const struct function_config *defaults)
{
    struct config *config = loader->config;
    struct function_config *function = &config->functions[config->function_count++];
    *function = *defaults;
    function->name = entry->name;
    function->line = entry->line;
    settings_apply(loader, function_settings, 0, entry->value, entry->path, function);

    if (!name_valid(entry->name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"))
        loader_report(loader, entry->path, "is no function's name (A-Z, a-z, 0-9, _ and -, at most 64)");
    if (function->route == NULL)
        function->route = memory_format(loader->arena, "/functions/v1/%s", function->name);
    if (function->plugin == NULL)
        function->plugin = function->name;
    function_check(loader, function, entry->path);
}

/* Reports a route that another enabled function further up has, or that neither clearly wins. */
static void route_check_conflicts(struct loader *loader, size_t index)
{
    const struct function_config *functions = loader->config->functions;
    const struct function_config *this = &functions[index];
    const char *path = loader_path(loader, loader_path(loader, "functions", this->name), "route");
    for (const struct function_config *other = functions; this->enabled && other < this; other++) {
        enum pattern_conflict conflict =
            other->enabled ? pattern_compare(other->route, this->route) : PATTERNS_APART;
        if (conflict == PATTERNS_EQUAL)
            loader_report(loader, path,
                "\"%s\" of function \"%s\" takes the same paths as \"%s\" of \"%s\" (line %d)", this->route,
                this->name, other->route, other->name, other->line);
        else if (conflict == PATTERNS_AMBIGUOUS)
            loader_report(loader, path,
                "\"%s\" of function \"%s\" and \"%s\" of \"%s\" (line %d) are ambiguous: paths match both, and "
                "neither "
                "pattern is the more specific one",
                this->route, this->name, other->route, other->name, other->line);
    }
}

void loader_functions(struct loader *loader)
{
    struct function_config defaults = { 0 };
    settings_fill(loader, function_settings, &defaults);
    const json_t *said = json_object_get(loader->document.root, "defaults");
    if (said != NULL)
        settings_apply(loader, function_settings, SETTING_DEFAULT, said, "defaults", &defaults);

    size_t count;
    const struct entry *entries = entries_of(loader, "functions", &count);
    struct config *config = loader->config;
    config->functions = memory_take(loader->arena, (count + 1) * sizeof *config->functions);
    for (size_t i = 0; i < count; i++)
        function_from_file(loader, &entries[i], &defaults);
    for (size_t i = 0; i < count; i++)
        route_check_conflicts(loader, i);
}
