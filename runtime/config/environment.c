/*
 * What the environment says goes before what the file says: one file serves every place it is deployed to.
 */
#include "interpolate.h"
#include "loader.h"

#include <string.h>

enum {
    DEBUGGER_MS = 24 * 60 * 60 * 1000
};

struct override {
    const char *variable, *section, *key;
};

/* Providers' variables are in providers.c. */
static const struct override overrides[] = {
    { "DATABASE_URL", "database", "url" },
    { "DATABASE_MIGRATE_URL", "database", "migrate_url" },
    { "EDGE_PLUGINS", "server", "plugins" },
    { "EDGE_SERVICE_KEY", "auth", "service_key" },
    { "EDGE_DEVELOPMENT_KEY", "auth", "development_key" },
    { "CLERK_ISSUER", "auth", "issuer" },
    { "CLERK_JWKS_URL", "auth", "jwks_url" },
    { "CLERK_JWT_KEY", "auth", "jwt_key" },
    { "CLERK_AUTHORIZED_PARTIES", "auth", "authorized_parties" },
};

static const struct section *section_find(const char *name)
{
    const struct section *section = sections;
    while (strcmp(section->name, name) != 0)
        section++;
    return section;
}

/*
 * Functions marked sandbox are served when EDGE_SANDBOX is 1, and only beside a development issuer: a host that
 * real users reach must not answer for their providers.
 */
static void sandbox_decide(struct loader *loader)
{
    struct config *config = loader->config;
    const char *wanted = environment_get("EDGE_SANDBOX");
    config->sandbox = wanted != NULL && strcmp(wanted, "1") == 0;
    if (wanted != NULL && !config->sandbox && strcmp(wanted, "0") != 0)
        loader_report_variable(loader, "EDGE_SANDBOX", "\"%s\" is neither 1 nor 0", wanted);
    if (config->sandbox && config->auth.development_key == NULL)
        loader_report_variable(loader, "EDGE_SANDBOX",
            "the sandbox runs beside a development issuer only; `edge dev` sets one up, or set [auth] "
            "development_key");
    for (size_t i = 0; i < config->function_count; i++)
        if (config->functions[i].sandbox && !config->sandbox)
            config->functions[i].enabled = false;
}

/*
 * Under a debugger somebody looks at a function for minutes: no limit may take the worker away from him. On a
 * development host only, as the sandbox.
 */
static void debugger_decide(struct config *config)
{
    const char *wanted = environment_get("EDGE_DEBUGGER");
    if (!config->sandbox || wanted == NULL || strcmp(wanted, "1") != 0)
        return;
    config->server.cpu_limit_ms = DEBUGGER_MS;
    config->server.write_timeout_ms = DEBUGGER_MS;
    for (size_t i = 0; i < config->function_count; i++)
        config->functions[i].timeout_ms = DEBUGGER_MS;
}

void loader_environment(struct loader *loader)
{
    for (size_t i = 0; i < sizeof overrides / sizeof *overrides; i++) {
        const struct section *section = section_find(overrides[i].section);
        setting_apply_variable(loader, section->settings, overrides[i].key, overrides[i].variable,
            (char *)loader->config + section->offset);
    }
    sandbox_decide(loader);
    debugger_decide(loader->config);
}
