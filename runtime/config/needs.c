/*
 * Who needs which environment variable; see needs.h.
 */
#include "needs.h"

#include "config.h"
#include "interpolate.h"
#include "providers.h"

#include <stdio.h>
#include <string.h>

static const char *const words[] = { "optional", "feature", "required" };

static enum need need_of(const json_t *entry)
{
    const char *word = json_string_value(json_object_get(entry, "need"));
    return strcmp(word, words[NEED_REQUIRED]) == 0  ? NEED_REQUIRED
           : strcmp(word, words[NEED_FEATURE]) == 0 ? NEED_FEATURE
                                                    : NEED_OPTIONAL;
}

static bool has_text(const json_t *list, const char *text)
{
    size_t i;
    json_t *one;
    json_array_foreach((json_t *)list, i, one)
    {
        if (strcmp(json_string_value(one), text) == 0)
            return true;
    }
    return false;
}

void needs_add(json_t *needs, const char *variable, enum need need, bool set, const char *user)
{
    json_t *entry = json_object_get(needs, variable);
    if (entry == NULL) {
        entry =
            json_pack("{s:s, s:b, s:b, s:[]}", "need", words[NEED_OPTIONAL], "required", 0, "set", 0, "users");
        json_object_set_new(needs, variable, entry);
    }
    if (need > need_of(entry))
        json_object_set_new(entry, "need", json_string(words[need]));
    json_object_set_new(entry, "required", json_boolean(need_of(entry) == NEED_REQUIRED));
    if (set)
        json_object_set_new(entry, "set", json_true());
    json_t *users = json_object_get(entry, "users");
    if (!has_text(users, user))
        json_array_append_new(users, json_string(user));
}

static bool is_set(const char *variable)
{
    return environment_get(variable) != NULL;
}

/* The variables of a list that means one thing, of which the first one set counts: all are set when one is. */
static void add_alternatives(json_t *needs, const char *list, bool covered, const char *user)
{
    char variable[VARIABLE_MAX];
    covered = covered || variables_get(list, variable) != NULL;
    for (; *list != '\0'; list += strcspn(list, ","), list += *list == ',')
        needs_add(needs, variables_first(list, variable), NEED_FEATURE, covered, user);
}

static bool is_credential(const char *variable)
{
    char one[VARIABLE_MAX];
    for (const struct provider *provider = provider_table; provider->name != NULL; provider++) {
        const char *lists[] = { provider->key_variables, provider->credentials };
        for (size_t i = 0; i < 2; i++)
            for (const char *list = lists[i]; list != NULL && *list != '\0';
                 list += strcspn(list, ","), list += *list == ',')
                if (strcmp(variables_first(list, one), variable) == 0)
                    return true;
    }
    return false;
}

/* Who calls has to be found out somehow; a value may stand in the file instead of the environment. */
static void add_auth(json_t *needs, const struct config *config, const struct function_config *function)
{
    const struct auth_config *auth = &config->auth;
    bool users = function->auth == AUTH_USER || function->auth == AUTH_ADMIN ||
                 function->auth == AUTH_USER_OR_SERVICE || function->auth == AUTH_OPTIONAL;
    bool service = function->auth == AUTH_SERVICE || function->auth == AUTH_USER_OR_SERVICE;
    if (users) {
        needs_add(needs, "CLERK_ISSUER", NEED_REQUIRED, auth->issuer != NULL, "signed-in callers");
        bool has_keys = auth->jwks_url != NULL || auth->jwt_key != NULL;
        needs_add(needs, "CLERK_JWKS_URL", NEED_REQUIRED, has_keys, "signed-in callers (or CLERK_JWT_KEY)");
    }
    if (service)
        needs_add(needs, "EDGE_SERVICE_KEY",
            function->auth == AUTH_SERVICE && function->schedule == NULL ? NEED_REQUIRED : NEED_FEATURE,
            auth->service_key != NULL, "callers with the service key");
}

static void add_function(json_t *needs, const struct function_config *function)
{
    for (const char **name = function->env; name != NULL && *name != NULL; name++)
        needs_add(
            needs, *name, is_credential(*name) ? NEED_FEATURE : NEED_OPTIONAL, is_set(*name), function->name);
    if (function->webhook_secret == NULL)
        return;
    const char *fallback = function->webhook_secret_fallback;
    bool covered = fallback != NULL && is_set(fallback);
    needs_add(needs, function->webhook_secret, covered ? NEED_OPTIONAL : NEED_REQUIRED,
        covered || is_set(function->webhook_secret), function->name);
}

/* Whether functions have named one of a list's variables. */
static bool any_named(const json_t *needs, const char *list)
{
    char variable[VARIABLE_MAX];
    bool any = false;
    for (; list != NULL && *list != '\0'; list += strcspn(list, ","), list += *list == ',')
        any = any || json_object_get(needs, variables_first(list, variable)) != NULL;
    return any;
}

/* The host knows many providers; those count that the file or a function speaks of. */
static void add_provider(json_t *needs, const struct provider_config *provider)
{
    char user[96];
    const struct provider *known = builtin_provider_find(provider->name);
    if (!provider->named && (known == NULL || !any_named(needs, known->key_variables)))
        return;
    snprintf(user, sizeof user, "provider %s", provider->name);
    if (known != NULL && known->key_variables != NULL)
        add_alternatives(needs, known->key_variables, provider->key != NULL, user);
    else if (provider->key_variable != NULL)
        needs_add(needs, provider->key_variable, NEED_FEATURE, provider->key != NULL, user);
}

json_t *needs_of(const struct config *config)
{
    json_t *needs = json_object();
    needs_add(needs, "DATABASE_URL", NEED_FEATURE, config->database.url != NULL, "the database");
    needs_add(
        needs, "DATABASE_MIGRATE_URL", NEED_OPTIONAL, config->database.migrate_url != NULL, "edge migrate");
    for (size_t i = 0; i < config->function_count; i++) {
        const struct function_config *function = &config->functions[i];
        if (!function->enabled || function->sandbox)
            continue;
        add_auth(needs, config, function);
        add_function(needs, function);
    }
    for (size_t i = 0; i < config->provider_count; i++)
        add_provider(needs, &config->providers[i]);
    for (const struct config_reference *one = config->references; one != NULL; one = one->next)
        needs_add(needs, one->variable, one->has_default ? NEED_OPTIONAL : NEED_FEATURE, is_set(one->variable),
            one->where);
    return needs;
}

static json_t *sorted(const json_t *needs, bool only_missing)
{
    json_t *list = json_array(), *entry;
    const char *variable;
    for (int need = NEED_REQUIRED; need >= NEED_OPTIONAL; need--)
        json_object_foreach((json_t *)needs, variable, entry)
        {
            bool set = json_is_true(json_object_get(entry, "set"));
            if (need_of(entry) != (enum need)need || (only_missing && set))
                continue;
            json_t *line = json_pack("{s:s}", "variable", variable);
            json_object_update(line, entry);
            json_array_append_new(list, line);
        }
    return list;
}

json_t *needs_missing(const json_t *needs)
{
    return sorted(needs, true);
}

json_t *needs_sorted(const json_t *needs)
{
    return sorted(needs, false);
}
