/*
 * What a good functions.toml becomes: defaults, inheritance, variables, paths, what the environment overrides.
 */
#include "config/development.h"
#include "config/loader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct config *parse(const char *document)
{
    struct config *config = NULL;
    struct config_error error;
    if (config_parse("/etc/edge/f.toml", document, strlen(document), &config, &error) != 0)
        fail_msg("%s", error.text);
    return config;
}

/* The message of a document that is refused under the current environment. */
static const char *refusal(const char *document)
{
    static struct config_error error;
    struct config *config;
    assert_int_not_equal(config_parse("/etc/edge/f.toml", document, strlen(document), &config, &error), 0);
    return error.text;
}

static const struct provider_config *provider(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->provider_count; i++)
        if (strcmp(config->providers[i].name, name) == 0)
            return &config->providers[i];
    fail_msg("no provider %s", name);
    return NULL;
}

static void defaults(void **state)
{
    (void)state;
    struct config *config = parse("");
    assert_string_equal(config->path, "/etc/edge/f.toml");
    assert_string_equal(config->server.listen, "127.0.0.1:8000");
    assert_int_equal(config->server.workers, 0);
    assert_null(config->server.tls_cert);
    assert_int_equal(config->server.header_timeout_ms, 10000);
    assert_int_equal(config->server.max_header_bytes, 32768);
    assert_null(config->server.trusted_proxies[0]);
    assert_string_equal(config->server.cors_origins[0], "*");
    assert_null(config->server.cors_origins[1]);
    assert_string_equal(config->server.plugins, "/etc/edge/build/functions");
    assert_string_equal(config->server.spool, "/var/tmp");
    assert_string_equal(config->database.migrations, "/etc/edge/sql/migrations");
    assert_null(config->database.url);
    assert_null(config->database.migrate_url);
    assert_null(config->auth.issuer);
    assert_null(config->auth.authorized_parties[0]);
    assert_null(config->auth.service_key);
    assert_int_equal(config->auth.clock_skew_ms, 5000);
    assert_int_equal(config->function_count, 0);
    assert_false(config->sandbox);

    assert_string_equal(provider(config, "elevenlabs")->base_url, "https://api.elevenlabs.io");
    assert_string_equal(provider(config, "elevenlabs")->key_header, "xi-api-key");
    assert_string_equal(provider(config, "elevenlabs")->key_variable, "ELEVENLABS_API_KEY");
    assert_null(provider(config, "elevenlabs")->key);
    assert_null(provider(config, "document_fetch")->base_url);
    assert_int_equal(provider(config, "twilio")->timeout_ms, 30000);
    config_free(config);
}

static void function_defaults(const struct function_config *function)
{
    assert_int_equal(function->memory_bytes, 32 * 1024 * 1024);
    assert_int_equal(function->rate.scope, RATE_NONE);
    assert_null(function->schedule);
    assert_string_equal(function->timezone, "UTC");
    assert_true(function->enabled);
}

static void functions(void **state)
{
    (void)state;
    struct config *config = parse("[defaults]\n"
                                  "timeout = \"7s\"\n"
                                  "env = [\"APP_URL\"]\n"
                                  "[functions.zeta]\n"
                                  "[functions.alpha]\n"
                                  "auth = \"webhook:svix\"\n"
                                  "webhook_secret = \"ALPHA_SECRET\"\n"
                                  "webhook_secret_fallback = \"BETA_SECRET\"\n"
                                  "route = \"/hooks/{name}/*\"\n"
                                  "plugin = \"hooks\"\n"
                                  "timeout = \"1min\"\n"
                                  "memory = \"8MiB\"\n"
                                  "max_body = \"64KiB\"\n"
                                  "rate_limit = \"10/s per ip\"\n"
                                  "schedule = \"0 6 * * mon-fri\"\n"
                                  "env = [\"A\", \"B\"]\n"
                                  "on_disconnect = \"finish\"\n"
                                  "enabled = false\n"
                                  "canary = 10\n");
    assert_int_equal(config->function_count, 2);

    const struct function_config *zeta = &config->functions[0], *alpha = &config->functions[1];
    assert_string_equal(zeta->name, "zeta");
    assert_int_equal(zeta->line, 4);
    assert_string_equal(zeta->route, "/functions/v1/zeta");
    assert_string_equal(zeta->plugin, "zeta");
    assert_int_equal(zeta->auth, AUTH_USER);
    assert_int_equal(zeta->timeout_ms, 7000);
    assert_string_equal(zeta->env[0], "APP_URL");
    function_defaults(zeta);

    assert_string_equal(alpha->route, "/hooks/{name}/*");
    assert_string_equal(alpha->plugin, "hooks");
    assert_int_equal(alpha->auth, AUTH_WEBHOOK);
    assert_string_equal(alpha->webhook_scheme, "svix");
    assert_string_equal(alpha->webhook_secret, "ALPHA_SECRET");
    assert_string_equal(alpha->webhook_secret_fallback, "BETA_SECRET");
    assert_int_equal(alpha->timeout_ms, 60000);
    assert_int_equal(alpha->max_body_bytes, 65536);
    assert_int_equal(alpha->rate.scope, RATE_PER_IP);
    assert_string_equal(alpha->schedule, "0 6 * * mon-fri");
    assert_string_equal(alpha->env[1], "B");
    assert_null(alpha->env[2]);
    assert_true(alpha->finish_on_disconnect);
    assert_false(alpha->enabled);
    assert_int_equal(alpha->canary, 10);
    config_free(config);
}

static void variables(void **state)
{
    (void)state;
    setenv("EDGE_TEST_PORT", "9000", 1);
    setenv("EDGE_TEST_LIST", " https://a.example , https://b.example,", 1);
    unsetenv("EDGE_TEST_UNSET");
    struct config *config = parse("[server]\n"
                                  "listen = \"${EDGE_TEST_HOST:-127.0.0.1}:${EDGE_TEST_PORT}\"\n"
                                  "workers = \"${EDGE_TEST_UNSET:-3}\"\n"
                                  "plugins = \"$$HOME/${EDGE_TEST_UNSET:-}plugins\"\n"
                                  "cors_origins = \"${EDGE_TEST_LIST}\"\n"
                                  "[database]\n"
                                  "url = \"postgresql://db/${EDGE_TEST_UNSET}\"\n"
                                  "pgbouncer = \"${EDGE_TEST_UNSET:-true}\"\n"
                                  "[auth]\n"
                                  "service_key = \"\"\n"
                                  "authorized_parties = [\"https://a.example\", \"${EDGE_TEST_UNSET}\"]\n"
                                  "[providers.acme]\n"
                                  "base_url = \"https://acme.example/v2/\"\n"
                                  "key = \"${EDGE_TEST_PORT}\"\n");
    assert_string_equal(config->server.listen, "127.0.0.1:9000");
    assert_int_equal(config->server.workers, 3);
    assert_string_equal(config->server.plugins, "/etc/edge/$HOME/plugins");
    assert_string_equal(config->server.cors_origins[0], "https://a.example");
    assert_string_equal(config->server.cors_origins[1], "https://b.example");
    assert_null(config->server.cors_origins[2]);
    assert_true(config->database.pgbouncer);
    /* Where something optional is may be unset: the whole setting is, not the part. */
    assert_null(config->database.url);
    assert_null(config->auth.service_key);
    assert_string_equal(config->auth.authorized_parties[0], "https://a.example");
    assert_null(config->auth.authorized_parties[1]);
    assert_string_equal(provider(config, "acme")->base_url, "https://acme.example/v2");
    assert_string_equal(provider(config, "acme")->key, "9000");
    assert_string_equal(provider(config, "acme")->key_variable, "EDGE_TEST_PORT");
    config_free(config);
    unsetenv("EDGE_TEST_PORT");
    unsetenv("EDGE_TEST_LIST");
}

#define BODY_LINE                                                                                              \
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAu1SU1LfVLPHCozMxH2Mo4lgOEePzNm0tRgeLezV6ffAt0gunVTLw7onLRnrq" \
    "0"                                                                                                        \
    "/IzW7yWR7QkrmBL7jTKEn5u+qKhbwKfBstIs+bMY2Zkp18gnTxKLxoS2tFczGkPLPgizskuemMghRniWaoLcyehkd3qqGElvW/"       \
    "VDL5AaW"                                                                                                  \
    "Tg0nLVkjRo9z+40RQzuVaE8AkAFmxZzow3x+VJYKdjykkJ0iT9wCS0DRTXu269V264Vf/3jvredZiKRkgwlL9xNAwxXFg0x/"         \
    "XFw005UWV"                                                                                                \
    "RIkdgcKWTjpBP2dPwVZ4WWC+9aGVd+Gyn1o0CLelf4rEjGoXbAAEgAqeGUxrcIlbjXfbcmwIDAQAB"
#define HEAD "-----BEGIN PUBLIC KEY-----"
#define FOOT "-----END PUBLIC KEY-----"

/* A key comes out as PEM readers want it, however its lines got lost on the way. */
static void public_keys(void **state)
{
    (void)state;
    static const char *const forms[] = { HEAD "\n" BODY_LINE "\n" FOOT "\n",
        HEAD "\\n" BODY_LINE "\\n" FOOT "\\n", HEAD " " BODY_LINE " " FOOT, HEAD BODY_LINE FOOT };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        setenv("CLERK_JWT_KEY", forms[i], 1);
        struct config *config = parse("");
        assert_non_null(strstr(config->auth.jwt_key, HEAD "\nMIIBIjAN"));
        assert_non_null(strstr(config->auth.jwt_key, "\n" FOOT "\n"));
        config_free(config);
    }
    unsetenv("CLERK_JWT_KEY");
}

static void environment(void **state)
{
    (void)state;
    setenv("DATABASE_URL", "postgresql://edge_runtime@db/pulse", 1);
    setenv("DATABASE_MIGRATE_URL", "postgresql://owner@db/pulse", 1);
    setenv("EDGE_SERVICE_KEY", "from the environment", 1);
    setenv("CLERK_ISSUER", "https://clerk.example", 1);
    setenv("CLERK_JWKS_URL", "https://clerk.example/.well-known/jwks.json", 1);
    setenv("CLERK_AUTHORIZED_PARTIES", "https://app.example", 1);
    setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/openai/", 1);
    setenv("STORAGE_S3_ENDPOINT", "https://s3.example", 1);
    setenv("EXTERNAL_BACKEND_URL", "https://old.example", 1);
    setenv("ELEVENLABS_API_KEY", "", 1);
    setenv("ELEVEN_LABS_API_KEY", "second name", 1);
    setenv("ACME_BASE_URL", "https://other.example", 1);
    struct config *config = parse("[database]\nurl = \"postgresql://file/db\"\n"
                                  "[auth]\nservice_key = \"file\"\njwks_url = \"https://file.example/jwks\"\n"
                                  "[providers.openai]\nbase_url = \"https://file.example\"\n"
                                  "[providers.acme]\nbase_url = \"https://acme.example\"\n");
    assert_string_equal(config->database.url, "postgresql://edge_runtime@db/pulse");
    assert_string_equal(config->database.migrate_url, "postgresql://owner@db/pulse");
    assert_string_equal(config->auth.service_key, "from the environment");
    assert_string_equal(config->auth.issuer, "https://clerk.example");
    assert_string_equal(config->auth.jwks_url, "https://clerk.example/.well-known/jwks.json");
    assert_string_equal(config->auth.authorized_parties[0], "https://app.example");
    assert_string_equal(provider(config, "openai")->base_url, "http://127.0.0.1:9/openai");
    assert_string_equal(provider(config, "object_store")->base_url, "https://s3.example");
    assert_string_equal(provider(config, "external_backend")->base_url, "https://old.example");
    assert_string_equal(provider(config, "elevenlabs")->key, "second name");
    assert_string_equal(provider(config, "elevenlabs")->key_variable, "ELEVEN_LABS_API_KEY");
    assert_string_equal(provider(config, "acme")->base_url, "https://other.example");
    config_free(config);

    setenv("EXTERNAL_BACKEND_BASE_URL", "https://new.example", 1);
    unsetenv("DATABASE_MIGRATE_URL");
    config = parse("");
    assert_string_equal(provider(config, "external_backend")->base_url, "https://new.example");
    assert_string_equal(config->database.migrate_url, config->database.url);
    config_free(config);

    setenv("OPENAI_BASE_URL", "ftp://x", 1);
    assert_string_equal(refusal(""),
        "environment: OPENAI_BASE_URL: \"ftp://x\" is no http or https URL (without user, query and fragment)");
    static const char *const set[] = { "DATABASE_URL", "EDGE_SERVICE_KEY", "CLERK_ISSUER", "CLERK_JWKS_URL",
        "CLERK_AUTHORIZED_PARTIES", "OPENAI_BASE_URL", "STORAGE_S3_ENDPOINT", "EXTERNAL_BACKEND_URL",
        "EXTERNAL_BACKEND_BASE_URL", "ELEVENLABS_API_KEY", "ELEVEN_LABS_API_KEY", "ACME_BASE_URL" };
    for (size_t i = 0; i < sizeof set / sizeof *set; i++)
        unsetenv(set[i]);
}

static void sandbox(void **state)
{
    (void)state;
    static const char document[] =
        "[functions.a]\nsandbox = true\n[functions.b]\nsandbox = true\nenabled = false\n";
    struct config *config = parse(document);
    assert_false(config->functions[0].enabled);
    config_free(config);

    setenv("EDGE_SANDBOX", "1", 1);
    assert_string_equal(refusal(document), "environment: EDGE_SANDBOX: the sandbox runs beside a development "
                                           "issuer only; `edge dev` sets one up, or set "
                                           "[auth] development_key");
    setenv("EDGE_DEVELOPMENT_KEY", "key.pem", 1);
    config = parse(document);
    assert_true(config->sandbox);
    assert_true(config->functions[0].enabled);
    assert_false(config->functions[1].enabled);
    assert_string_equal(config->auth.development_key, "/etc/edge/key.pem");
    config_free(config);
    setenv("EDGE_SANDBOX", "yes", 1);
    assert_string_equal(refusal(document), "environment: EDGE_SANDBOX: \"yes\" is neither 1 nor 0");
    unsetenv("EDGE_SANDBOX");
    unsetenv("EDGE_DEVELOPMENT_KEY");
}

/* The development issuer's key is made once, is nobody else's to read, and takes the place of any other issuer.
 */
static void development(void **state)
{
    (void)state;
    char directory[] = "/tmp/edge-config-XXXXXX", path[64], key[64];
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/f.toml", directory);
    snprintf(key, sizeof key, "%s/key.pem", directory);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("[auth]\ndevelopment_key = \"key.pem\"\nissuer = \"https://a.example\"\njwks_url = "
          "\"https://a.example/j\"\n",
        file);
    fclose(file);

    struct config *first, *second;
    struct config_error error;
    assert_int_equal(config_load(path, &first, &error), 0);
    assert_int_equal(config_load(path, &second, &error), 0);
    assert_string_equal(first->auth.issuer, DEVELOPMENT_ISSUER);
    assert_null(first->auth.jwks_url);
    assert_string_equal(first->auth.development_key, key);
    assert_non_null(strstr(first->auth.jwt_key, HEAD));
    assert_string_equal(first->auth.jwt_key, second->auth.jwt_key);
    struct stat status;
    assert_int_equal(stat(key, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    config_free(first);
    config_free(second);

    file = fopen(key, "w");
    fputs("no key", file);
    fclose(file);
    assert_int_equal(config_load(path, &first, &error), -22);
    assert_non_null(strstr(error.text, "key.pem\" can be neither read nor made"));
    unlink(key);
    unlink(path);
    rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults),
        cmocka_unit_test(functions),
        cmocka_unit_test(variables),
        cmocka_unit_test(public_keys),
        cmocka_unit_test(environment),
        cmocka_unit_test(sandbox),
        cmocka_unit_test(development),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
