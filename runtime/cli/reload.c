/*
 * edge reload, rollback, promote, upgrade: commands to the running host of a functions.toml.
 */
#include "cli/reload.h"

#include "cli/command.h"
#include "cli/json_print.h"
#include "config/config.h"
#include "supervisor/command.h"

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BUILD_ID_SHOWN = 12
};

/* The host's answer; NULL when there is none, which has been said. */
static json_t *ask(const char *config, json_t *command)
{
    char problem[512];
    json_t *answer = command_send(config, command, problem, sizeof problem);
    if (answer == NULL)
        failure("%s", problem);
    json_decref(command);
    return answer;
}

static void print_change(const json_t *change)
{
    const char *function = json_string_value(json_object_get(change, "function"));
    const char *now = json_string_value(json_object_get(change, "generation"));
    const char *before = json_string_value(json_object_get(change, "previous"));
    const char *is = json_is_true(json_object_get(change, "canary")) ? "has the canary" : "serves";
    printf("%s %s %.*s", function, is, BUILD_ID_SHOWN, now);
    if (before != NULL && before[0] != '\0' && strcmp(before, now) != 0)
        printf(" (before: %.*s)", BUILD_ID_SHOWN, before);
    printf("\n");
}

int reload_report_print(const json_t *report)
{
    size_t i;
    json_t *entry;
    const char *configuration = json_string_value(json_object_get(report, "configuration"));
    const char *error = json_string_value(json_object_get(report, "error"));
    const char *reason = json_string_value(json_object_get(report, "reason"));
    if (error != NULL)
        return failure("%s", error);
    if (configuration != NULL && strcmp(configuration, "changed") == 0)
        printf("functions.toml is in force as it is now\n");
    json_array_foreach(json_object_get(report, "changed"), i, entry) print_change(entry);
    if (json_is_true(json_object_get(report, "ok"))) {
        if (json_array_size(json_object_get(report, "changed")) == 0 && configuration != NULL &&
            strcmp(configuration, "unchanged") == 0)
            printf("nothing has changed: what is on disk is served already\n");
        return STATUS_DONE;
    }
    if (configuration != NULL && strcmp(configuration, "refused") == 0)
        failure("functions.toml stays as it was: %s", reason != NULL ? reason : "refused");
    json_array_foreach(json_object_get(report, "refused"), i, entry)
        failure("%s stays as it was: %s", json_string_value(json_object_get(entry, "function")),
            json_string_value(json_object_get(entry, "reason")));
    return STATUS_FAILED;
}

/* The host is who reads the file; where it cannot be read here, the host says why. */
static bool is_known(const char *path, const char *function)
{
    struct config *config;
    struct config_error error;
    if (config_load(path, &config, &error) != 0)
        return true;
    bool known = function_named(config, function);
    config_free(config);
    return known;
}

static int change(const struct command *command, int argc, char **argv, bool needs_function)
{
    const char *path = "functions.toml", *function = NULL;
    bool json = false;
    const struct cli_option options[] = {
        { "config", "FILE", "the configuration of the host (functions.toml)", .text = &path },
        { "json", NULL, "the host's answer as JSON", .flag = &json },
        { NULL, "FUNCTION", needs_function ? "the function" : "only this function", .text = &function },
        { 0 },
    };
    int status = options_read(command, options, argc, argv);
    if (status != OPTIONS_READ)
        return status;
    if (needs_function && function == NULL)
        return usage_error(command, "which function? edge %s FUNCTION", command->name);
    if (function != NULL && !is_known(path, function))
        return STATUS_FAILED;
    json_t *answer = ask(path, json_pack("{s:s, s:s*}", "command", command->name, "function", function));
    if (answer == NULL)
        return STATUS_FAILED;
    if (json) {
        json_print_indented(stdout, answer);
        printf("\n");
        status = json_is_true(json_object_get(answer, "ok")) ? STATUS_DONE : STATUS_FAILED;
    } else {
        status = reload_report_print(answer);
    }
    json_decref(answer);
    return status;
}

static int run_reload(int argc, char **argv)
{
    return change(&reload_command, argc, argv, false);
}

static int run_rollback(int argc, char **argv)
{
    return change(&rollback_command, argc, argv, true);
}

static int run_promote(int argc, char **argv)
{
    return change(&promote_command, argc, argv, true);
}

static int run_upgrade(int argc, char **argv)
{
    const char *path = "functions.toml", *binary = NULL;
    const struct cli_option options[] = {
        { "config", "FILE", "the configuration of the host (functions.toml)", .text = &path },
        { NULL, "BINARY", "the new edge; the file that the host was started from when left out",
            .text = &binary },
        { 0 },
    };
    int status = options_read(&upgrade_command, options, argc, argv);
    if (status != OPTIONS_READ)
        return status;
    char *absolute = binary != NULL ? realpath(binary, NULL) : NULL;
    if (binary != NULL && absolute == NULL)
        return failure("there is no file \"%s\"", binary);
    json_t *answer = ask(path, json_pack("{s:s, s:s*}", "command", "upgrade", "binary", absolute));
    free(absolute);
    if (answer == NULL)
        return STATUS_FAILED;
    bool ok = json_is_true(json_object_get(answer, "ok"));
    if (ok)
        printf("the new binary is being tried; the host's log says when it serves\n");
    else
        failure("%s", json_string_value(json_object_get(answer, "error")));
    json_decref(answer);
    return ok ? STATUS_DONE : STATUS_FAILED;
}

const struct command reload_command = {
    .name = "reload",
    .summary = "Have the running host take over what has changed",
    .details =
        "Hosts notice changed plugins and a changed functions.toml by themselves ([server] watch). This\n"
        "does it now, tries again what was refused before, and tells the outcome. The status is 1 when\n"
        "anything was refused; what was served is served on.\n",
    .examples = "  edge reload\n"
                "  edge reload computePulse\n",
    .run = run_reload,
};

const struct command rollback_command = {
    .name = "rollback",
    .summary = "Have a function go back to the build before",
    .details = "A function with a canary loses the canary. The builds of the last three generations are kept\n"
               "loaded. The build that was left is not loaded again by itself; edge reload does that.\n",
    .examples = "  edge rollback computePulse\n",
    .run = run_rollback,
};

const struct command promote_command = {
    .name = "promote",
    .summary = "Have a function's canary serve everybody",
    .details =
        "With canary = 10 in functions.toml a new build of a function serves a tenth of its callers, always\n"
        "the same ones, until it is promoted or rolled back.\n",
    .examples = "  edge promote computePulse\n",
    .run = run_promote,
};

const struct command upgrade_command = {
    .name = "upgrade",
    .summary = "Replace the running host's binary without losing a connection",
    .details =
        "The new binary first checks configuration and plugins (edge serve --check). Then the host\n"
        "executes it in place: process id and listening socket stay, new workers start, and those before\n"
        "them finish what they have, up to [server] drain_timeout.\n",
    .examples = "  edge upgrade\n"
                "  edge upgrade /usr/local/bin/edge-2.1\n",
    .run = run_upgrade,
};
