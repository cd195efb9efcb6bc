/*
 * From a saved source to the host: what could not be built is told to it, and to people.
 */
#include "cli/command.h"
#include "cli/dev.h"
#include "cli/process.h"
#include "cli/reload.h"
#include "cli/terminal.h"
#include "config/config.h"
#include "supervisor/command.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The host's answer to a command; NULL when it does not answer, which its own log explains. */
static json_t *ask(const struct dev *dev, json_t *command)
{
    char problem[512];
    json_t *answer = command_send(dev->path, command, problem, sizeof problem);
    json_decref(command);
    return answer;
}

static void tell(const struct dev *dev, const char *function, const char *text)
{
    json_decref(
        ask(dev, json_pack("{s:s, s:s, s:s?}", "command", "stale", "function", function, "text", text)));
}

/* functions.toml may have got functions since. */
static json_t *failures_of(const struct dev *dev)
{
    struct config *config;
    struct config_error error;
    if (config_load(dev->path, &config, &error) != 0)
        return dev_build_failures(&dev->build, dev->config);
    json_t *failures = dev_build_failures(&dev->build, config);
    config_free(config);
    return failures;
}

/* Functions that can be built again are looked at by the host before they count as fresh. */
static void tell_all(struct dev *dev)
{
    json_t *failures = failures_of(dev), *value;
    const char *function;
    json_object_foreach(failures, function, value)
    {
        if (!json_equal(value, json_object_get(dev->stale, function)))
            tell(dev, function, json_string_value(value));
    }
    json_object_foreach(dev->stale, function, value)
    {
        if (json_object_get(failures, function) == NULL)
            tell(dev, function, NULL);
    }
    json_decref(dev->stale);
    dev->stale = failures;
}

static void say_stale(const struct dev *dev)
{
    enum {
        NAMED_MAX = 5
    };
    size_t count = json_object_size(dev->stale), named = 0;
    const char *function;
    json_t *text;
    if (count == 0)
        return;
    printf("%s", terminal_red(STDOUT_FILENO));
    json_object_foreach(dev->stale, function, text)
    {
        if (named++ < NAMED_MAX)
            printf("%s%s", named > 1 ? ", " : "", function);
    }
    if (count > NAMED_MAX)
        printf(" and %zu more", count - NAMED_MAX);
    printf("%s %s\n", terminal_plain(STDOUT_FILENO),
        dev->strict ? "answer 503 function_stale until that is mended"
                    : "serve the build before, with x-function-stale: true, until that is mended");
}

static void say(const struct dev *dev)
{
    dev_build_print(&dev->build);
    if (dev->build.failed)
        say_stale(dev);
    else
        printf("%sbuilt in %d ms%s\n", terminal_dim(STDOUT_FILENO), (int)dev->build.took_ms,
            terminal_plain(STDOUT_FILENO));
    fflush(stdout);
}

void dev_build_first(struct dev *dev)
{
    if (!dev_build_start(&dev->build))
        return;
    while (!dev_build_read(&dev->build))
        ;
    dev_build_print(&dev->build);
}

void dev_build_begin(struct dev *dev)
{
    dev->changed_ms = 0;
    if (dev->build.command != NULL)
        dev_build_start(&dev->build);
}

void dev_build_done(struct dev *dev)
{
    tell_all(dev);
    say(dev);
    if (!dev->forced)
        return;
    dev->forced = false;
    json_t *report = ask(dev, json_pack("{s:s}", "command", "reload"));
    if (report != NULL)
        reload_report_print(report);
    json_decref(report);
    fflush(stdout);
}
