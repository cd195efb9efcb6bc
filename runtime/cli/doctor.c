/*
 * edge doctor: whether this machine can run the host, and what to do where it cannot.
 */
#include "cli/doctor.h"

#include "cli/command.h"
#include "cli/development_environment.h"
#include "cli/json_print.h"
#include "cli/terminal.h"
#include "config/config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void doctor_say(
    struct doctor *doctor, enum finding finding, const char *check, const char *fix, const char *format, ...)
{
    static const char *const names[] = { "ok", "warning", "failure" };
    static const char *const labels[] = { "ok  ", "warn", "FAIL" };
    const int out = STDOUT_FILENO;
    const char *colours[] = { terminal_green(out), terminal_yellow(out), terminal_red(out) };
    va_list args;
    char *text = NULL;
    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        abort();
    va_end(args);

    doctor->failures += finding == FINDING_FAILURE;
    json_array_append_new(doctor->findings, json_pack("{s:s, s:s, s:s, s:s*}", "check", check, "result",
                                                names[finding], "found", text, "fix", fix));
    if (!doctor->json) {
        printf("%s%s%s  %-12s %s\n", colours[finding], labels[finding], terminal_plain(out), check, text);
        if (finding != FINDING_OK && fix != NULL)
            printf("                   %s\n", fix);
        fflush(stdout);
    }
    free(text);
}

static struct config *configuration(struct doctor *doctor, const char *path)
{
    struct config *config = NULL;
    struct config_error error;
    if (config_load(path, &config, &error) != 0) {
        doctor_say(doctor, FINDING_FAILURE, "config",
            "edge config check says no more; edge config keys explains keys", "%s", error.text);
        return NULL;
    }
    if (config->database.url == NULL && config->auth.development_key == NULL &&
        development_environment_load(path)) {
        config_free(config);
        if (config_load(path, &config, &error) != 0)
            return NULL;
        doctor_say(doctor, FINDING_OK, "config", NULL, "%s: %zu function%s; with what `edge dev` has set up",
            path, config->function_count, config->function_count == 1 ? "" : "s");
        return config;
    }
    doctor_say(doctor, FINDING_OK, "config", NULL, "%s: %zu function%s", path, config->function_count,
        config->function_count == 1 ? "" : "s");
    return config;
}

static void examine(struct doctor *doctor, const char *path)
{
    doctor_libraries(doctor);
    doctor_programs(doctor);
    struct config *config = configuration(doctor, path);
    if (config == NULL)
        return;
    doctor_limits(doctor, config);
    doctor_directories(doctor, config);
    doctor_plugins(doctor, config);
    doctor_address(doctor, config);
    doctor_auth(doctor, config);
    doctor_database(doctor, config);
    config_free(config);
}

static int run(int argc, char **argv)
{
    const char *path = "functions.toml";
    struct doctor doctor = { 0 };
    const struct cli_option options[] = {
        { "json", NULL, "print JSON", .flag = &doctor.json },
        { "config", "FILE", "the configuration (functions.toml)", .text = &path },
        { 0 },
    };
    int status = options_read(&doctor_command, options, argc, argv);
    if (status != OPTIONS_READ)
        return status;
    doctor.findings = json_array();
    examine(&doctor, path);
    if (doctor.json) {
        json_print_indented(stdout, doctor.findings);
        putchar('\n');
    }
    json_decref(doctor.findings);
    return doctor.failures == 0 ? STATUS_DONE : STATUS_FAILED;
}

const struct command doctor_command = {
    .name = "doctor",
    .summary = "Check this machine: libraries, limits, database, clock, address",
    .details = "Each line is one check; below what is not well stands what to do about it. The status is 1 "
               "when a check\n"
               "has failed. Nothing is changed.\n",
    .examples = "  edge doctor\n"
                "  edge doctor --config /etc/edge/functions.toml --json\n",
    .run = run,
};
