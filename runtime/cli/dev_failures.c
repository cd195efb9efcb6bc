/*
 * What a build has said, taken apart; see dev_build.h.
 *
 * Ninja says of each command that failed "FAILED: <what it makes>", the command on a line of its own, and then
 * what the command has said. Other builds are read for the names of functions' files.
 */
#include "cli/dev_build.h"
#include "cli/keys.h"
#include "cli/terminal.h"
#include "config/config.h"
#include "supervisor/registry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char failed_mark[] = "FAILED: ";

static const char *line_end(const char *at)
{
    return at + strcspn(at, "\n");
}

static const char *next_line(const char *at)
{
    const char *end = line_end(at);
    return *end == '\n' ? end + 1 : end;
}

static bool begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Whether a line has a name with these around it. */
static bool names(const char *line, size_t length, const char *before, const char *name, const char *after)
{
    char pattern[256];
    int size = snprintf(pattern, sizeof pattern, "%s%s%s", before, name, after);
    return size < (int)sizeof pattern && memmem(line, length, pattern, (size_t)size) != NULL;
}

/* Whether what a failed command makes is of one function: its object, or its plugin. */
static bool makes(const char *line, const char *plugin)
{
    size_t length = strcspn(line, "\n");
    return names(line, length, "/", plugin, ".dir/") || names(line, length, "/", plugin, ".so") ||
           names(line, length, " ", plugin, ".so");
}

static void add(json_t *failures, const char *function, const char *text, size_t length)
{
    const char *before = json_string_value(json_object_get(failures, function));
    size_t used = before != NULL ? strlen(before) : 0;
    size_t room = used < REGISTRY_STALE_BYTES - 1 ? REGISTRY_STALE_BYTES - 1 - used : 0;
    json_t *whole =
        json_sprintf("%s%.*s", before != NULL ? before : "", (int)(length < room ? length : room), text);
    /* Cut inside a character it is no UTF-8. */
    for (size_t cut = 1; whole == NULL && cut < 4 && room > cut; cut++)
        whole = json_sprintf("%s%.*s", before != NULL ? before : "", (int)(room - cut), text);
    if (whole != NULL)
        json_object_set_new(failures, function, whole);
}

static void add_all(json_t *failures, const struct config *config, const char *text, size_t length)
{
    for (size_t i = 0; i < config->function_count; i++)
        if (config->functions[i].enabled)
            add(failures, config->functions[i].name, text, length);
}

/* One failed command: line is "FAILED: …", text what it has said. */
static void add_block(
    json_t *failures, const struct config *config, const char *line, const char *text, size_t length)
{
    bool found = false;
    for (size_t i = 0; i < config->function_count; i++) {
        if (!makes(line, config->functions[i].plugin))
            continue;
        add(failures, config->functions[i].name, text, length);
        found = true;
    }
    if (!found)
        add_all(failures, config, text, length);
}

/* Where the text of ninja's block that begins at a mark ends. */
static const char *block_end(const char *at)
{
    while (*at != '\0' && !begins(at, failed_mark) && !begins(at, "ninja: "))
        at = next_line(at);
    return at;
}

static json_t *by_file_name(const char *text, const struct config *config)
{
    json_t *failures = json_object();
    for (size_t i = 0; i < config->function_count; i++)
        if (names(text, strlen(text), "", config->functions[i].plugin, ".c:"))
            add(failures, config->functions[i].name, text, strlen(text));
    if (json_object_size(failures) == 0)
        add_all(failures, config, text, strlen(text));
    return failures;
}

json_t *dev_build_failures(const struct dev_build *build, const struct config *config)
{
    json_t *failures = json_object();
    if (!build->failed)
        return failures;
    for (const char *at = build->text; *at != '\0';) {
        if (!begins(at, failed_mark)) {
            at = next_line(at);
            continue;
        }
        const char *text = next_line(next_line(at)), *end = block_end(text);
        add_block(failures, config, at, text, (size_t)(end - text));
        at = end;
    }
    if (json_object_size(failures) > 0)
        return failures;
    json_decref(failures);
    return by_file_name(build->text, config);
}

static const char *colour_of_line(const char *line, size_t length)
{
    if (memmem(line, length, "error:", 6) != NULL)
        return terminal_red(STDOUT_FILENO);
    return memmem(line, length, "warning:", 8) != NULL ? terminal_yellow(STDOUT_FILENO) : "";
}

/* The compiler's text is its own; how it was called is left out. */
void dev_build_print(const struct dev_build *build)
{
    for (const char *at = build->text; at != NULL && *at != '\0'; at = next_line(at)) {
        if (begins(at, failed_mark))
            at = next_line(at);
        else if (!begins(at, "ninja: ")) {
            size_t length = (size_t)(line_end(at) - at);
            printf("%s", colour_of_line(at, length));
            print_safely(at, length);
            printf("%s\n", terminal_plain(STDOUT_FILENO));
        }
    }
    fflush(stdout);
}
