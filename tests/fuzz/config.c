/*
 * Fuzz target: functions.toml. Whatever the bytes are, they are refused with a message or give a configuration
 * that can be used: nothing missing that the runtime takes for granted.
 */
#include "config/cron.h"
#include "config/loader.h"
#include "config/pattern.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool fact)
{
    if (!fact)
        abort();
}

static void check_function(const struct config *config, const struct function_config *function)
{
    struct cron cron;
    char problem[256];
    must(function->name != NULL && *function->name != '\0' && function->plugin != NULL);
    must(function->route != NULL && pattern_check(function->route) == NULL);
    must(function->env != NULL && function->timezone != NULL && function->line > 0);
    must((function->auth == AUTH_WEBHOOK) == (function->webhook_scheme != NULL));
    must((function->auth == AUTH_WEBHOOK) == (function->webhook_secret != NULL));
    must(function->timeout_ms > 0 && function->max_body_bytes <= config->server.max_body_bytes);
    must(function->schedule == NULL || cron_parse(function->schedule, &cron, problem, sizeof problem));
    must(!function->enabled || !function->sandbox || config->sandbox);
}

static void check(const struct config *config)
{
    must(
        config->server.listen != NULL && config->server.plugins != NULL && config->server.cors_origins != NULL);
    must((config->server.tls_cert == NULL) == (config->server.tls_key == NULL));
    must((config->database.url == NULL) || (config->database.migrate_url != NULL));
    must(config->auth.authorized_parties != NULL);
    for (size_t i = 0; i < config->provider_count; i++)
        must(config->providers[i].name != NULL && config->providers[i].timeout_ms > 0);
    for (size_t i = 0; i < config->function_count; i++)
        check_function(config, &config->functions[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config *config;
    struct config_error error;
    if (config_parse("f.toml", (const char *)data, size, &config, &error) == 0)
        check(config);
    else
        must(config == NULL && strncmp(error.text, "f.toml:", 7) == 0);
    config_free(config);
    return 0;
}
