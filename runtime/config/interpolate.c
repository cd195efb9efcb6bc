/*
 * Environment variables in configured text; see interpolate.h for the syntax.
 */
#include "interpolate.h"

#include "memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *environment_get(const char *name)
{
    const char *value = getenv(name);
    return value == NULL || *value == '\0' ? NULL : value;
}

/* Length of the variable name that text begins with, 0 when it begins with none. */
static size_t name_length(const char *text)
{
    if (*text >= '0' && *text <= '9')
        return 0;
    return strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
}

/* One reference; text stands behind "${". Writes its value and returns what follows it, NULL when it is
 * malformed. */
static const char *expand(struct arena *arena, const char *text, FILE *out, struct interpolation *result)
{
    size_t length = name_length(text);
    const char *end = strchr(text, '}');
    if (length == 0 || end == NULL)
        return NULL;

    const char *name = memory_copy_bytes(arena, text, length);
    const char *fallback = strncmp(text + length, ":-", 2) == 0 ? text + length + 2 : NULL;
    if (fallback == NULL && text + length != end)
        return NULL;

    if (result->variable == NULL)
        result->variable = name;
    struct variable_reference *reference = memory_take(arena, sizeof *reference);
    *reference = (struct variable_reference){ name, fallback != NULL, result->references };
    result->references = reference;
    const char *value = environment_get(name);
    if (value != NULL)
        fputs(value, out);
    else if (fallback != NULL)
        fwrite(fallback, 1, (size_t)(end - fallback), out);
    else if (result->missing == NULL)
        result->missing = name;
    return end + 1;
}

struct interpolation interpolate(struct arena *arena, const char *text)
{
    struct interpolation result = { .text = text };
    if (strchr(text, '$') == NULL)
        return result;

    char *buffer = NULL;
    size_t size = 0;
    FILE *out = memory_stream(&buffer, &size);
    while (*text != '\0' && result.problem == NULL) {
        const char *rest = text + 1;
        if (*text != '$')
            fputc(*text, out);
        else if (text[1] == '$')
            fputc(*rest++, out);
        else
            rest = text[1] == '{' ? expand(arena, text + 2, out, &result) : NULL;
        if (rest == NULL)
            result.problem =
                "has a \"$\" that begins no ${NAME} or ${NAME:-default}; write $$ for a literal one";
        else
            text = rest;
    }
    fclose(out);
    result.text = memory_copy_bytes(arena, buffer, size);
    free(buffer);
    return result;
}
