/*
 * Sections for functions.toml; see new_entry.h.
 */
#include "cli/new_entry.h"

#include "cli/command.h"
#include "config/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADING "# --- "

/* Where the next part of the file begins, or where the file ends. */
static const char *part_end(const char *from)
{
    const char *next = strstr(from, "\n" HEADING);
    return next == NULL ? from + strlen(from) : next + 1;
}

/* The heading that begins with a group's name and a blank. */
static const char *part_find(const char *text, const char *group)
{
    size_t length = strlen(group);
    for (const char *at = strstr(text, HEADING); at != NULL; at = strstr(at + 1, HEADING))
        if (strncasecmp(at + strlen(HEADING), group, length) == 0 && at[strlen(HEADING) + length] == ' ')
            return at;
    return NULL;
}

char *entry_insert(const char *text, const char *group, const char *section)
{
    const char *part = group != NULL ? part_find(text, group) : NULL;
    const char *place = part != NULL ? part_end(part) : text + strlen(text);
    const char *last = place;
    while (last > text && (last[-1] == '\n' || last[-1] == ' '))
        last--;

    char *result = NULL;
    const char *gap = last == text ? "" : "\n\n";
    const char *rest = *place == '\0' ? "" : "\n";
    if (asprintf(&result, "%.*s%s%s%s%s", (int)(last - text), text, gap, section, rest, place) < 0)
        abort();
    return result;
}

/* A draft beside the file, so that renaming it is one step; it keeps the file's permissions. */
static bool draft_write(const char *path, const char *draft, const char *text)
{
    struct stat status;
    FILE *file = fopen(draft, "wxe");
    if (file == NULL)
        return false;
    bool written = fputs(text, file) >= 0;
    if (stat(path, &status) == 0)
        written = written && fchmod(fileno(file), status.st_mode & 07777) == 0;
    return fclose(file) == 0 && written;
}

bool entry_store(const char *path, const char *text)
{
    char *draft = NULL, *real = realpath(path, NULL);
    const char *target = real != NULL ? real : path;
    if (asprintf(&draft, "%s.new-%d", target, (int)getpid()) < 0)
        abort();
    struct config *config = NULL;
    struct config_error error;
    bool stored = draft_write(target, draft, text);
    if (!stored)
        failure("\"%s\" cannot be written: %s", draft, strerror(errno));
    else if (config_load_copy(path, draft, &config, &error) != 0)
        stored = failure("%s", error.text) == STATUS_DONE;
    else if (rename(draft, target) != 0)
        stored = failure("\"%s\" cannot be replaced: %s", path, strerror(errno)) == STATUS_DONE;
    if (!stored)
        unlink(draft);
    config_free(config);
    free(draft);
    free(real);
    return stored;
}
