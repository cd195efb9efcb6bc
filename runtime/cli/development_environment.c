/*
 * The environment of a development host; see development_environment.h.
 */
#include "cli/development_environment.h"

#include "cli/command.h"
#include "cli/environment_file.h"
#include "config/config.h"
#include "config/interpolate.h"
#include "config/providers.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SECRET_BYTES = 32
};

char *development_path(const char *config_path, const char *name)
{
    char *copy = strdup(config_path), *resolved = NULL, *path = NULL;
    if (copy != NULL && (resolved = realpath(dirname(copy), NULL)) != NULL)
        if (asprintf(&path, "%s/.edge%s%s", resolved, *name == '\0' ? "" : "/", name) < 0)
            path = NULL;
    if (path == NULL)
        abort();
    free(copy);
    free(resolved);
    return path;
}

bool development_environment_load(const char *config_path)
{
    char *path = development_path(config_path, "dev/environment");
    struct environment_file file = { 0 };
    bool found = environment_file_read(&file, path) == 0;
    environment_file_apply(&file);
    environment_file_free(&file);
    free(path);
    return found;
}

bool development_config_open(const char *path, struct config **config)
{
    if (!config_open(path, config))
        return false;
    if ((*config)->auth.development_key != NULL)
        return true;

    config_free(*config);
    *config = NULL;
    if (!development_environment_load(path)) {
        failure(
            "\"%s\" has no development issuer, and only that one's tokens are made here. `edge dev` sets one "
            "up",
            path);
        return false;
    }
    return config_open(path, config);
}

/* A random secret behind a prefix, made the first time and kept in the file from then on. */
static void secret_fill(struct environment_file *file, const char *name, const char *prefix)
{
    const char *given = environment_get(name);
    if (given != NULL) {
        environment_file_set(file, name, given);
        return;
    }
    if (environment_file_get(file, name) != NULL)
        return;

    uint8_t random[SECRET_BYTES];
    unsigned char text[4 * (SECRET_BYTES / 3 + 1) + 1];
    char value[sizeof text + 16];
    if (RAND_bytes(random, sizeof random) != 1)
        abort();
    EVP_EncodeBlock(text, random, sizeof random);
    snprintf(value, sizeof value, "%s%s", prefix, (const char *)text);
    environment_file_set(file, name, value);
}

/* Account ids and secrets of a provider: the stand-ins take any that are not empty. */
static void credentials_fill(struct environment_file *file, const char *variables)
{
    char variable[VARIABLE_MAX], text[VARIABLE_MAX + 16];
    while (*variables != '\0') {
        snprintf(text, sizeof text, "sandbox-%s", variables_first(variables, variable));
        environment_file_set(file, variable, text);
        variables += strlen(variable);
        variables += *variables == ',';
    }
}

static void provider_fill(
    struct environment_file *file, const struct provider_config *provider, const char *origin)
{
    char buffer[VARIABLE_MAX], variable[VARIABLE_MAX], text[256];
    snprintf(text, sizeof text, "%s/sandbox/%s", origin, provider->name);
    const char *variables = provider_url_variables(provider->name, buffer);
    environment_file_set(file, variables_first(variables, variable), text);

    const struct provider *known = builtin_provider_find(provider->name);
    snprintf(text, sizeof text, "sandbox-%s", provider->name);
    if (known != NULL && known->key_variables != NULL)
        environment_file_set(file, variables_first(known->key_variables, variable), text);
    else if (provider->key_variable != NULL)
        environment_file_set(file, provider->key_variable, text);
    if (known != NULL && known->credentials != NULL)
        credentials_fill(file, known->credentials);
}

/* How a provider's secrets begin. */
static const char *webhook_secret_prefix(const char *scheme)
{
    static const struct {
        const char *scheme, *prefix;
    } known[] = { { "svix", "whsec_" }, { "elevenlabs", "wsec_" }, { "shopify", "shpss_" } };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(known[i].scheme, scheme) == 0)
            return known[i].prefix;
    return "";
}

void development_environment_fill(
    struct environment_file *file, const struct config *config, const char *origin)
{
    char *key = development_path(config->path, "dev/jwt_key.pem");
    char *sandbox = development_path(config->path, "sandbox");
    environment_file_set(file, "EDGE_DEVELOPMENT_KEY", key);
    environment_file_set(file, "EDGE_SANDBOX", "1");
    environment_file_set(file, "SANDBOX_DIR", sandbox);
    free(sandbox);
    free(key);

    for (size_t i = 0; i < config->provider_count; i++)
        provider_fill(file, &config->providers[i], origin);

    secret_fill(file, "EDGE_SERVICE_KEY", "edge_dev_");
    secret_fill(file, "EDGE_ENCRYPTION_KEY", "");
    secret_fill(file, "STORAGE_SIGNING_KEY", "");
    for (size_t i = 0; i < config->function_count; i++) {
        const struct function_config *function = &config->functions[i];
        if (function->auth == AUTH_WEBHOOK)
            secret_fill(file, function->webhook_secret, webhook_secret_prefix(function->webhook_scheme));
    }
}
