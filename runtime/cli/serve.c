/*
 * edge serve: the host.
 */
#include "cli/command.h"
#include "config/config.h"
#include "supervisor/supervisor.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    WORKERS_MAX = 512
};

/* This process's command line, for the binary that takes its place; NULL: it cannot be read. */
static char **own_arguments(void)
{
    enum {
        BYTES = 128 * 1024
    };
    FILE *file = fopen("/proc/self/cmdline", "re");
    char *text = file != NULL ? calloc(1, BYTES + 2) : NULL;
    size_t length = text != NULL ? fread(text, 1, BYTES, file) : 0, count = 0;
    if (file != NULL)
        fclose(file);
    for (size_t i = 0; i < length; i++)
        count += text[i] == '\0';
    char **arguments = count > 0 ? calloc(count + 1, sizeof *arguments) : NULL;
    if (arguments == NULL) {
        free(text);
        return NULL;
    }
    char *at = text;
    for (size_t i = 0; i < count; i++, at += strlen(at) + 1)
        arguments[i] = at;
    return arguments;
}

/* A check that found nothing says so, and what it looked at. */
static void print_checked(const struct config *config)
{
    size_t count = 0;
    for (size_t i = 0; i < config->function_count; i++)
        count += config->functions[i].enabled && (config->sandbox || !config->functions[i].sandbox);
    printf("nothing is wrong: %zu function%s would be served\n", count, count == 1 ? "" : "s");
}

static int run(int argc, char **argv)
{
    const char *path = "functions.toml", *listen = NULL, *workers = NULL;
    bool sandbox = false, check = false;
    const struct cli_option options[] = {
        { "config", "FILE", "what to run (functions.toml)", .text = &path },
        { "listen", "ADDRESS", "127.0.0.1:8000, [::]:8000, :8000, unix:/path; instead of [server] listen",
            .text = &listen },
        { "workers", "N", "worker processes; instead of [server] workers", .text = &workers },
        { "sandbox", NULL, "serve the stand-ins for outside providers; needs [auth] development_key",
            .flag = &sandbox },
        { "check", NULL, "load and test every plugin as a start would, say what is wrong, serve nothing",
            .flag = &check },
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
    char **arguments = own_arguments(), *binary = realpath("/proc/self/exe", NULL);
    const struct serve_options serve = {
        .listen = listen,
        .workers = worker_count,
        .sandbox = config->sandbox,
        .check = check,
        .argv = arguments,
        .binary = binary,
    };
    status = serve_run(config, &serve);
    if (check && status == STATUS_DONE)
        print_checked(config);
    config_free(config);
    free(binary);
    if (arguments != NULL)
        free(arguments[0]);
    free(arguments);
    return status;
}

const struct command serve_command = {
    .name = "serve",
    .summary = "Serve the functions of functions.toml",
    .details =
        "SIGTERM and Ctrl-C end it: it stops accepting, lets running invocations finish up to\n"
        "[server] drain_timeout, and exits with 0. SIGHUP is `edge reload`: changed plugins and a changed\n"
        "functions.toml are taken over without losing a request. --check exits with 1 when a plugin or the\n"
        "configuration would be refused.\n",
    .examples = "  edge serve\n"
                "  edge serve --config /etc/edge/functions.toml --listen [::]:8080 --workers 4\n",
    .run = run,
};
