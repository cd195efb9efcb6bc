/*
 * edge serve: the host.
 */
#include "cli/command.h"
#include "config/config.h"
#include "supervisor/supervisor.h"

#include <stddef.h>
#include <stdlib.h>

enum {
    WORKERS_MAX = 512
};

static int run(int argc, char **argv)
{
    const char *path = "functions.toml", *listen = NULL, *workers = NULL;
    bool sandbox = false;
    const struct cli_option options[] = {
        { "config", "FILE", "what to run (functions.toml)", .text = &path },
        { "listen", "ADDRESS", "127.0.0.1:8000, [::]:8000, :8000, unix:/path; instead of [server] listen",
            .text = &listen },
        { "workers", "N", "worker processes; instead of [server] workers", .text = &workers },
        { "sandbox", NULL, "serve the stand-ins for outside providers; needs [auth] development_key",
            .flag = &sandbox },
        { 0 },
    };
    int status = options_read(&serve_command, options, argc, argv);
    if (status != OPTIONS_READ)
        return status;

    int worker_count = 0;
    if (workers != NULL && !count_parse(workers, WORKERS_MAX, &worker_count))
        return usage_error(
            &serve_command, "--workers is \"%s\", not a whole number from 1 to %d", workers, WORKERS_MAX);

    /* In the environment, because the configuration is read again at every reload. */
    if (sandbox)
        setenv("EDGE_SANDBOX", "1", 1);

    struct config *config;
    if (!config_open(path, &config))
        return STATUS_FAILED;
    const struct serve_options serve = { listen, worker_count, .sandbox = config->sandbox };
    status = serve_run(config, &serve);
    config_free(config);
    return status;
}

const struct command serve_command = {
    .name = "serve",
    .summary = "Serve the functions of functions.toml",
    .details = "SIGTERM and Ctrl-C end it: it stops accepting, lets running invocations finish up to\n"
               "[server] drain_timeout, and exits with 0.\n",
    .examples = "  edge serve\n"
                "  edge serve --config /etc/edge/functions.toml --listen [::]:8080 --workers 4\n",
    .run = run,
};
