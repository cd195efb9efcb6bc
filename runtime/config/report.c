/*
 * What is said about a faulty configuration.
 */
#include "closest.h"
#include "loader.h"
#include "memory.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *loader_path(struct loader *loader, const char *parent, const char *key)
{
    bool bare = *key != '\0' &&
                key[strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")] == '\0';
    return memory_format(
        loader->arena, bare ? "%s%s%s" : "%s%s\"%s\"", parent, *parent == '\0' ? "" : ".", key);
}

/* Line of a path or, when the file does not have it, of the nearest table around it. */
static int nearest_line(const struct loader *loader, const char *path)
{
    char *prefix = memory_copy(loader->arena, path);
    int line = toml_line(&loader->document, prefix);
    while (line == 0) {
        char *end = strrchr(prefix, '.');
        if (end == NULL)
            return 1;
        *end = '\0';
        line = toml_line(&loader->document, prefix);
    }
    return line;
}

/* Keeps an error when none is kept that stands earlier in the file. */
static bool error_begin(struct loader *loader, int line)
{
    if (loader->error_line != 0 && loader->error_line <= line)
        return false;
    loader->error_line = line;
    return true;
}

static void error_add(struct loader *loader, const char *format, va_list args)
{
    char *text = loader->error->text;
    size_t used = strlen(text);
    vsnprintf(text + used, sizeof loader->error->text - used, format, args);
}

void loader_report(struct loader *loader, const char *path, const char *format, ...)
{
    int line = nearest_line(loader, path);
    if (!error_begin(loader, line))
        return;
    snprintf(loader->error->text, sizeof loader->error->text, "%s:%d: %s: ", loader->path, line, path);
    va_list args;
    va_start(args, format);
    error_add(loader, format, args);
    va_end(args);
}

void loader_report_variable(struct loader *loader, const char *variable, const char *format, ...)
{
    if (!error_begin(loader, INT_MAX))
        return;
    snprintf(loader->error->text, sizeof loader->error->text, "environment: %s: ", variable);
    va_list args;
    va_start(args, format);
    error_add(loader, format, args);
    va_end(args);
}

void loader_report_unknown(
    struct loader *loader, const char *path, const char *key, const char *const *known, const char *what)
{
    const char *suggestion = suggestion_for(loader->arena, key, known);
    if (*suggestion != '\0')
        loader_report(loader, path, "is no %s%s", what, suggestion);
    else
        loader_report(loader, path, "is no %s; there are %s", what, quoted_list(loader->arena, known));
}

const char *suggestion_for(struct arena *arena, const char *text, const char *const *known)
{
    const char *closest = closest_of(text, known);
    return closest == NULL ? "" : memory_format(arena, "; did you mean \"%s\"", closest);
}

const char *quoted_list(struct arena *arena, const char *const *items)
{
    char *buffer = NULL;
    size_t size = 0;
    FILE *out = memory_stream(&buffer, &size);
    for (const char *const *item = items; *item != NULL; item++)
        fprintf(out, "%s\"%s\"", item == items ? "" : ", ", *item);
    fclose(out);
    const char *text = memory_copy_bytes(arena, buffer, size);
    free(buffer);
    return text;
}

const char *const *setting_keys(struct arena *arena, const struct setting *settings, unsigned flags)
{
    size_t count = 0;
    while (settings[count].key != NULL)
        count++;
    const char **keys = memory_take(arena, (count + 1) * sizeof *keys);
    const char **next = keys;
    for (; settings->key != NULL; settings++)
        if ((settings->flags & flags) == flags)
            *next++ = settings->key;
    return keys;
}
