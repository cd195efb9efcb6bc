/*
 * The tables of functions.toml's keys; see schema.h for what the columns mean.
 */
#include "schema.h"

#include <stddef.h>
#include <string.h>

#define SECONDS(n) ((n)*INT64_C(1000))
#define HOURS(n) SECONDS((n)*3600)
#define KIB(n) ((n)*INT64_C(1024))
#define MIB(n) KIB((n)*INT64_C(1024))

static const char *const log_levels[] = { "debug", "info", "warn", "error", NULL };
static const char *const log_formats[] = { "auto", "json", "text", NULL };
static const char *const on_disconnect[] = { "cancel", "finish", NULL };

const char *const auth_modes[] = {
    [AUTH_PUBLIC] = "public",
    [AUTH_USER] = "user",
    [AUTH_OPTIONAL] = "optional",
    [AUTH_ADMIN] = "admin",
    [AUTH_SERVICE] = "service",
    [AUTH_USER_OR_SERVICE] = "user_or_service",
    [AUTH_WEBHOOK] = NULL,
};
const char *const webhook_schemes[] = { "svix", "elevenlabs", "shopify", "gohighlevel", NULL };

#define AT(member) .offset = offsetof(struct server_config, member)
static const struct setting server_settings[] = {
    { "listen", SETTING_TEXT, "127.0.0.1:8000", .check = check_listen, AT(listen),
        .help = "Address to listen on; a command line's --listen goes before it" },
    { "workers", SETTING_INTEGER, "0", 0, 512, AT(workers), .help = "Worker processes; 0 is one a core" },
    { "tls_cert", SETTING_PATH, NULL, .flags = SETTING_OPTIONAL, AT(tls_cert),
        .help = "Certificate chain in PEM; together with tls_key it switches TLS on" },
    { "tls_key", SETTING_PATH, NULL, .flags = SETTING_OPTIONAL, AT(tls_key), .help = "Private key in PEM" },
    { "header_timeout", SETTING_DURATION, "10s", 100, HOURS(1), AT(header_timeout_ms),
        .help = "Time a request's head may take to arrive" },
    { "body_timeout", SETTING_DURATION, "30s", 100, HOURS(1), AT(body_timeout_ms),
        .help = "Longest silence while a request's body arrives" },
    { "idle_timeout", SETTING_DURATION, "75s", 100, HOURS(24), AT(idle_timeout_ms),
        .help = "Time a connection may rest between two requests" },
    { "write_timeout", SETTING_DURATION, "30s", 100, HOURS(1), AT(write_timeout_ms),
        .help = "Time a client may leave an answer unread" },
    { "drain_linger", SETTING_DURATION, "100ms", 0, SECONDS(60), AT(drain_linger_ms),
        .help = "How long idle connections wait for a last request when the host stops" },
    { "drain_timeout", SETTING_DURATION, "10s", 0, HOURS(1), AT(drain_timeout_ms),
        .help = "Time that running invocations get when the host stops" },
    { "max_url", SETTING_SIZE, "8KiB", 256, MIB(1), AT(max_url_bytes),
        .help = "Longest request target; 414 beyond" },
    { "max_headers", SETTING_SIZE, "32KiB", 1024, MIB(1), AT(max_header_bytes),
        .help = "All of a request's header fields together; 431 beyond" },
    { "max_body", SETTING_SIZE, "64MiB", 0, MIB(4096), AT(max_body_bytes),
        .help = "Largest body of any function; a function's own max_body cannot exceed it" },
    { "body_memory", SETTING_SIZE, "256KiB", 0, MIB(64), AT(body_memory_bytes),
        .help = "Bodies larger than this wait in a file below spool" },
    { "max_connections", SETTING_INTEGER, "20000", 1, 1000000, AT(max_connections),
        .help = "Connections a worker" },
    { "trusted_proxies", SETTING_TEXTS, "", .check = check_network, AT(trusted_proxies),
        .help = "Addresses whose X-Forwarded-For is believed" },
    { "cors_origins", SETTING_TEXTS, "*", .check = check_origin, AT(cors_origins),
        .help = "Origins that browsers may call from" },
    { "plugins", SETTING_PATH, "build/functions", AT(plugins),
        .help = "Directory of the functions' .so files" },
    { "log_level", SETTING_CHOICE, "info", .choices = log_levels, AT(log_level),
        .help = "Lowest level that is logged" },
    { "log_format", SETTING_CHOICE, "auto", .choices = log_formats, AT(log_format),
        .help = "auto is text on a terminal, else one JSON object a line" },
    { "spool", SETTING_PATH, "/var/tmp", AT(spool),
        .help = "Directory of request bodies that do not stay in memory" },
    { "watch", SETTING_BOOL, "true", AT(watch),
        .help = "Changed plugins, and a changed functions.toml, are reloaded by themselves" },
    { "gate_timeout", SETTING_DURATION, "5s", 1, SECONDS(600), AT(gate_timeout_ms),
        .help = "Longest a plugin may take to load, start and test itself before it is served" },
    { "crash_limit", SETTING_INTEGER, "5", 0, 64, AT(crash_limit),
        .help = "Crashes of a build within crash_window that withdraw it; 0: never" },
    { "crash_window", SETTING_DURATION, "30s", 1, HOURS(24), AT(crash_window_ms),
        .help = "Time within which crashes count together" },
    { "cpu_limit", SETTING_DURATION, "2s", 10, HOURS(1), AT(cpu_limit_ms),
        .help = "A worker that runs one function longer than this without waiting is replaced" },
    { "fiber_stack", SETTING_SIZE, "256KiB", KIB(64), MIB(8), AT(fiber_stack_bytes),
        .help = "Address space of an invocation's stack; pages count once they are touched" },
    { "worker_memory", SETTING_SIZE, "0B", 0, MIB(16 * 1024 * 1024), AT(worker_memory_bytes),
        .help = "Memory of a worker beside its fibers' stacks; 0: its share of the machine's, at least 1 GiB" },
    { "jobs", SETTING_INTEGER, "4", 0, 1000, AT(jobs),
        .help = "Durable jobs at the same time, a worker; 0: this host runs none" },
    { "job_lease", SETTING_DURATION, "60s", SECONDS(2), HOURS(1), AT(job_lease_ms),
        .help = "Time after which the jobs of a host that died are taken over; renewed while they run" },
    { 0 },
};
#undef AT

#define AT(member) .offset = offsetof(struct database_config, member)
static const struct setting database_settings[] = {
    { "url", SETTING_TEXT, NULL, .check = check_database, .flags = SETTING_OPTIONAL | SETTING_SECRET, AT(url),
        .help = "Connection URL of the runtime's login, role edge_runtime (environment: DATABASE_URL)" },
    { "migrate_url", SETTING_TEXT, NULL, .check = check_database, .flags = SETTING_OPTIONAL | SETTING_SECRET,
        AT(migrate_url),
        .help = "Connection URL of the schema's owner, for edge migrate; url when it is unset" },
    { "migrations", SETTING_PATH, "sql/migrations", AT(migrations), .help = "Directory of the migrations" },
    { "seed", SETTING_PATH, "sql/seed", AT(seed), .help = "Directory of the demonstration data" },
    { "pool", SETTING_INTEGER, "10", 1, 1000, AT(pool), .help = "Connections a worker" },
    { "statement_timeout", SETTING_DURATION, "30s", 1, HOURS(24), AT(statement_timeout_ms),
        .help = "Longest statement; the invocation's deadline bounds it as well" },
    { "acquire_timeout", SETTING_DURATION, "5s", 1, HOURS(1), AT(acquire_timeout_ms),
        .help = "Longest wait for a free connection; 503 database_busy beyond" },
    { "pgbouncer", SETTING_BOOL, "false", AT(pgbouncer), .help = "Transaction pooling: no named statements" },
    { 0 },
};
#undef AT

#define AT(member) .offset = offsetof(struct auth_config, member)
static const struct setting auth_settings[] = {
    { "issuer", SETTING_TEXT, NULL, .check = check_url, .flags = SETTING_OPTIONAL, AT(issuer),
        .help = "The iss that tokens must have (environment: CLERK_ISSUER)" },
    { "jwks_url", SETTING_TEXT, NULL, .check = check_url, .flags = SETTING_OPTIONAL, AT(jwks_url),
        .help = "Address of the issuer's keys (environment: CLERK_JWKS_URL)" },
    { "jwt_key", SETTING_PEM, NULL, .check = check_pem, .flags = SETTING_OPTIONAL | SETTING_SECRET, AT(jwt_key),
        .help = "The issuer's public key in PEM, instead of jwks_url (environment: CLERK_JWT_KEY)" },
    { "authorized_parties", SETTING_TEXTS, "", .check = check_nothing, .flags = SETTING_OPTIONAL,
        AT(authorized_parties),
        .help = "The azp that tokens must have; empty: not checked (environment: CLERK_AUTHORIZED_PARTIES)" },
    { "clock_skew", SETTING_DURATION, "5s", 0, SECONDS(300), AT(clock_skew_ms),
        .help = "Tolerance of token times" },
    { "service_key", SETTING_TEXT, NULL, .flags = SETTING_OPTIONAL | SETTING_SECRET, AT(service_key),
        .help = "Key of trusted back ends (environment: EDGE_SERVICE_KEY)" },
    { "development_key", SETTING_PATH, NULL, .flags = SETTING_OPTIONAL, AT(development_key),
        .help =
            "Private key of the development issuer; never in production (environment: EDGE_DEVELOPMENT_KEY)" },
    { 0 },
};
#undef AT

#define AT(member) .offset = offsetof(struct provider_config, member)
const struct setting provider_settings[] = {
    { "base_url", SETTING_TEXT, NULL, .check = check_url, .flags = SETTING_OPTIONAL, AT(base_url),
        .help = "Address that paths are appended to (environment: <PROVIDER>_BASE_URL)" },
    { "key", SETTING_TEXT, NULL, .flags = SETTING_OPTIONAL | SETTING_SECRET, AT(key), .help = "API key" },
    { "key_header", SETTING_TEXT, NULL, .check = check_header, .flags = SETTING_OPTIONAL, AT(key_header),
        .help = "Header that carries the key; Authorization: Bearer when it is unset" },
    { "url_host", SETTING_TEXT, NULL, .check = check_host, .flags = SETTING_OPTIONAL, AT(url_host),
        .help = "Host that calls may name URLs at or under, where there is no base_url" },
    { "public_urls", SETTING_BOOL, "false", AT(public_urls),
        .help = "Calls may name any URL that leads to public addresses, where there is no base_url" },
    { "http_urls", SETTING_BOOL, "false", AT(http_urls), .help = "Such URLs may be http as well as https" },
    { "timeout", SETTING_DURATION, "30s", 1, HOURS(1), AT(timeout_ms), .help = "Longest call" },
    { "connect_timeout", SETTING_DURATION, "5s", 1, HOURS(1), AT(connect_timeout_ms),
        .help = "Longest connection set-up, TLS included" },
    { "first_byte_timeout", SETTING_DURATION, "30s", 1, HOURS(1), AT(first_byte_timeout_ms),
        .help = "Longest wait for an answer's head" },
    { "silence_timeout", SETTING_DURATION, "30s", 1, HOURS(1), AT(silence_timeout_ms),
        .help = "Longest silence within an answer" },
    { "max_concurrency", SETTING_INTEGER, "0", 0, 1000000, AT(max_concurrency),
        .help = "Calls at the same time, a worker; more wait. 0 is no limit" },
    { "retries", SETTING_INTEGER, "0", 0, 10, AT(retries),
        .help = "Repeats of a failed call that is safe to repeat" },
    { 0 },
};
#undef AT

#define AT(member) .offset = offsetof(struct function_config, member)
const struct setting function_settings[] = {
    { "route", SETTING_TEXT, NULL, .check = check_route, AT(route),
        .help = "Path or pattern; /functions/v1/<name> when it is unset" },
    { "plugin", SETTING_TEXT, NULL, .check = check_plugin, AT(plugin),
        .help = "File of the plugin, without .so; the function's name when it is unset" },
    { "auth", SETTING_AUTH, "user", .flags = SETTING_DEFAULT, AT(auth), .help = "Who may call" },
    { "webhook_secret", SETTING_TEXT, NULL, .check = check_variable, AT(webhook_secret),
        .help = "Name of the environment variable that holds the secret of a webhook" },
    { "webhook_secret_fallback", SETTING_TEXT, NULL, .check = check_variable, AT(webhook_secret_fallback),
        .help = "Name of the variable that holds it when the first one is unset" },
    { "timeout", SETTING_DURATION, "30s", 1, HOURS(24), .flags = SETTING_DEFAULT, AT(timeout_ms),
        .help = "Longest invocation; 504 timeout beyond" },
    { "memory", SETTING_SIZE, "32MiB", KIB(64), MIB(16384), .flags = SETTING_DEFAULT, AT(memory_bytes),
        .help = "Memory of one invocation; 500 memory_limit beyond" },
    { "max_body", SETTING_SIZE, "1MiB", 0, MIB(4096), .flags = SETTING_DEFAULT, AT(max_body_bytes),
        .help = "Largest request body; 413 beyond" },
    { "rate_limit", SETTING_RATE, "none", .flags = SETTING_DEFAULT, AT(rate),
        .help = "Calls in a window, in total, per user or per ip; 429 beyond" },
    { "schedule", SETTING_TEXT, NULL, .check = check_schedule, AT(schedule),
        .help = "Cron schedule; fired once across all hosts, as the service" },
    { "timezone", SETTING_TEXT, "UTC", .check = check_timezone, .flags = SETTING_DEFAULT, AT(timezone),
        .help = "Time zone of the schedule" },
    { "catch_up", SETTING_BOOL, "false", AT(catch_up),
        .help =
            "Scheduled minutes of the last 24 hours that no host was there for are run later; else skipped" },
    { "env", SETTING_TEXTS, "", .check = check_variable, .flags = SETTING_DEFAULT, AT(env),
        .help = "Environment variables that the function may read; it sees no others" },
    { "enabled", SETTING_BOOL, "true", AT(enabled), .help = "false: not loaded, its route answers 404" },
    { "on_disconnect", SETTING_FINISH, "cancel", .choices = on_disconnect, .flags = SETTING_DEFAULT,
        AT(finish_on_disconnect), .help = "What happens to an invocation whose client has left" },
    { "sandbox", SETTING_BOOL, "false", AT(sandbox),
        .help = "A stand-in for a provider: served in development only" },
    { "canary", SETTING_INTEGER, "0", 0, 100, AT(canary),
        .help = "Per cent of the callers that get a new generation before it is promoted" },
    { 0 },
};
#undef AT

const struct section sections[] = {
    { "server", server_settings, offsetof(struct config, server) },
    { "database", database_settings, offsetof(struct config, database) },
    { "auth", auth_settings, offsetof(struct config, auth) },
    { 0 },
};

const struct setting *setting_find(const struct setting *settings, const char *key)
{
    for (; settings->key != NULL; settings++)
        if (strcmp(settings->key, key) == 0)
            return settings;
    return NULL;
}
