/*
 * functions.toml as the runtime sees it: validated, defaults filled in, environment interpolated. One
 * allocation tree; config_free releases all of it. Strings are never NULL unless said so.
 *
 * Paths are absolute: a relative one in the file counts from the file's own directory.
 */
#ifndef CONFIG_H
#define CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum auth_mode {
    AUTH_PUBLIC,
    AUTH_USER,
    AUTH_OPTIONAL,
    AUTH_ADMIN,
    AUTH_SERVICE,
    AUTH_USER_OR_SERVICE,
    AUTH_WEBHOOK, /* with a scheme: "svix", … */
};

enum rate_scope {
    RATE_NONE,
    RATE_PER_USER,
    RATE_PER_IP,
    RATE_TOTAL
};

struct rate_limit {
    enum rate_scope scope;
    uint32_t count;
    uint32_t window_seconds; /* 1, 60, 3600 or 86400 */
};

struct server_config {
    const char *listen;             /* "127.0.0.1:8000", "[::]:443", "unix:/path" */
    int workers;                    /* 0: one a core */
    const char *tls_cert, *tls_key; /* PEM files; both or neither (NULL) */
    int64_t header_timeout_ms, body_timeout_ms, idle_timeout_ms, write_timeout_ms, drain_timeout_ms,
        drain_linger_ms;
    size_t max_url_bytes, max_header_bytes, max_body_bytes, body_memory_bytes;
    int max_connections;                /* a worker */
    const char **trusted_proxies;       /* CIDR blocks, NULL-terminated */
    const char **cors_origins;          /* "*" or exact origins, NULL-terminated */
    const char *plugins;                /* directory of the .so files */
    const char *log_level, *log_format; /* "info"; "auto", "json", "text" */
    const char *spool;                  /* directory of spooled bodies */
    int64_t cpu_limit_ms; /* a worker that runs one function longer without yielding is replaced */
    size_t fiber_stack_bytes;
    size_t worker_memory_bytes; /* 0: a worker's share of the machine's; see worker/memory_limit.h */
    bool watch;                 /* files that change are reloaded by themselves */
    int64_t gate_timeout_ms;    /* for one plugin to load, start and test itself before it is served */
    int crash_limit;            /* crashes of a generation within crash_window_ms that withdraw it; 0: never */
    int64_t crash_window_ms;
    int jobs; /* durable jobs at the same time, a worker; 0: this host runs none */
    int64_t job_lease_ms;
};

struct database_config {
    const char *url;               /* the runtime's login; NULL: none configured */
    const char *migrate_url;       /* the owner's login, for `edge migrate`; url when not configured */
    const char *migrations, *seed; /* directories of .sql files */
    const char *runtimes;          /* directory of the runtime's own migrations; NULL: they are in migrations */
    int pool;                      /* connections a worker */
    int64_t statement_timeout_ms, acquire_timeout_ms;
    bool pgbouncer;
};

struct auth_config {
    const char *issuer, *jwks_url, *jwt_key; /* NULL when not configured; jwt_key is PEM */
    const char **authorized_parties;         /* NULL-terminated */
    int64_t clock_skew_ms;
    const char *service_key; /* NULL when not configured */
    /*
     * PEM file of the development issuer, NULL in production. When it is set, issuer and jwt_key are that
     * issuer's, jwks_url is NULL, and the key has been made if the file did not exist.
     */
    const char *development_key;
};

struct provider_config {
    const char *name;
    const char *base_url;                        /* after <PROVIDER>_BASE_URL; NULL: none */
    const char *key, *key_variable, *key_header; /* NULL when not configured */
    const char *url_host;                        /* calls may name URLs at or under it; NULL: no */
    bool public_urls, http_urls;                 /* any public URL; also with http */
    bool named;                                  /* the file has a section of it */
    int64_t timeout_ms, connect_timeout_ms, first_byte_timeout_ms, silence_timeout_ms;
    int max_concurrency, retries;
};

struct function_config {
    const char *name, *route, *plugin; /* plugin: file name without ".so", default the name */
    enum auth_mode auth;
    const char *webhook_scheme;          /* of AUTH_WEBHOOK, else NULL */
    const char *webhook_secret;          /* name of the variable that holds the secret, else NULL */
    const char *webhook_secret_fallback; /* name of the one that is read when that is unset, else NULL */
    int64_t timeout_ms;
    size_t memory_bytes, max_body_bytes;
    struct rate_limit rate;
    const char *schedule; /* cron, NULL: none */
    const char *timezone; /* of the schedule, "UTC" */
    bool catch_up;        /* scheduled minutes that no host was there for are run later */
    const char **env;     /* NULL-terminated */
    bool enabled;         /* false as well for a sandbox function on a host that does not run the sandbox */
    bool finish_on_disconnect, sandbox;
    int canary; /* per cent, 0: none */
    int line;   /* of its table in the file */
};

/* A variable that the file names, and where: ${NAME} in the text of a key. */
struct config_reference {
    const char *variable, *where; /* "server.listen" */
    bool has_default;
    const struct config_reference *next;
};

struct config {
    const char *path;
    bool sandbox; /* stand-ins for outside providers are served: EDGE_SANDBOX=1 and a development issuer */
    struct server_config server;
    struct database_config database;
    struct auth_config auth;
    struct provider_config *providers;
    size_t provider_count;
    struct function_config *functions; /* in the file's order */
    size_t function_count;
    const struct config_reference *references;
};

struct config_error {
    char text[1024]; /* "functions.toml:12: functions.computePulse.auth: \"usr\" is not …; did you mean
                        \"user\"" */
};

/* Reads and validates a file. 0 and *config, or a negative errno and the first error in *error. */
int config_load(const char *path, struct config **config, struct config_error *error);

/* The same from a copy of the file; messages and relative paths are the file's. */
int config_load_copy(const char *path, const char *copy, struct config **config, struct config_error *error);
void config_free(struct config *config);

/* The function of a name; NULL when there is none. */
const struct function_config *config_function(const struct config *config, const char *name);

#endif
