/*
 * Functions as a page for people: a table a group, in alphabetical order, so that two branches that add
 * functions change different lines.
 */
#include "cli/functions_markdown.h"

#include "cli/command.h"
#include "cli/plugin_look.h"
#include "config/units.h"
#include "plugin/plugin.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    GROUP_MAX = 32
};

struct entry {
    char group[GROUP_MAX];
    const struct function_config *function;
};

/* Name of the directory that the function's source is in; lib holds what functions share. */
static bool find_group(const char *sources, const struct function_config *function, char group[GROUP_MAX])
{
    char pattern[512];
    glob_t found = { 0 };
    size_t count = 0;
    snprintf(pattern, sizeof pattern, "%s/*/%s.c", sources, function->plugin);
    glob(pattern, 0, NULL, &found);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        const char *name = found.gl_pathv[i] + strlen(sources) + 1;
        if (strncmp(name, "lib/", 4) == 0)
            continue;
        snprintf(group, GROUP_MAX, "%.*s", (int)strcspn(name, "/"), name);
        count++;
    }
    globfree(&found);
    return count == 1;
}

static int by_group_and_name(const void *a, const void *b)
{
    const struct entry *first = a, *second = b;
    int groups = strcmp(first->group, second->group);
    return groups != 0 ? groups : strcmp(first->function->name, second->function->name);
}

static void print_cell(const char *text)
{
    fputs(" ", stdout);
    for (; *text != '\0'; text++) {
        if (*text == '|')
            putchar('\\');
        putchar(*text);
    }
    fputs(" |", stdout);
}

/* What the function's plugin declares, which is opened, and not started. */
static bool read_summary(
    const struct config *config, const struct function_config *function, char *text, size_t size)
{
    char reason[1024];
    struct plugin *plugin = plugin_look(config, function, reason, sizeof reason);
    if (plugin == NULL) {
        failure("%s", reason);
        return false;
    }
    snprintf(text, size, "%s", plugin->descriptor.summary);
    plugin_release(plugin);
    return true;
}

static bool print_function(const struct config *config, const struct function_config *function)
{
    char summary[512], auth[64], timeout[32], memory[32], body[32], rate[64];
    if (!read_summary(config, function, summary, sizeof summary))
        return false;
    auth_format(function, auth, sizeof auth);
    const char *const cells[] = {
        function->name,
        function->route,
        auth,
        duration_format(function->timeout_ms, timeout),
        size_format((int64_t)function->memory_bytes, memory),
        size_format((int64_t)function->max_body_bytes, body),
        rate_format(&function->rate, rate),
        function->schedule != NULL ? function->schedule : "-",
        summary,
    };
    putchar('|');
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        print_cell(cells[i]);
    putchar('\n');
    return true;
}

static void print_heading(const char *group)
{
    printf("\n## %s\n\n"
           "| function | route | auth | timeout | memory | body | rate limit | schedule | what it does |\n"
           "|---|---|---|---|---|---|---|---|---|\n",
        group);
}

int functions_markdown(const struct config *config, const char *sources)
{
    struct entry *entries = calloc(config->function_count + 1, sizeof *entries);
    if (entries == NULL)
        return failure("out of memory");
    int status = STATUS_DONE;
    for (size_t i = 0; i < config->function_count; i++) {
        entries[i].function = &config->functions[i];
        if (!find_group(sources, entries[i].function, entries[i].group))
            status = failure("%s/*/%s.c is not there, or several times", sources, entries[i].function->plugin);
    }
    qsort(entries, config->function_count, sizeof *entries, by_group_and_name);

    printf(
        "# Functions\n\n"
        "Written by `scripts/docs` from functions.toml and the functions' descriptors: what is changed here is "
        "lost.\n"
        "Groups are the directories of `functions/`. `-` is none; memory, body and timeout are one call's.\n");
    for (size_t i = 0; i < config->function_count && status == STATUS_DONE; i++) {
        if (i == 0 || strcmp(entries[i].group, entries[i - 1].group) != 0)
            print_heading(entries[i].group);
        if (!print_function(config, entries[i].function))
            status = STATUS_FAILED;
    }
    free(entries);
    return status;
}
