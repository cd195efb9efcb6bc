/*
 * Filling in templates; see new_text.h.
 */
#include "cli/new_text.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *value_of(const struct new_value *values, const char *name, size_t length)
{
    for (; values->name != NULL; values++)
        if (strlen(values->name) == length && strncmp(values->name, name, length) == 0)
            return values->value;
    return NULL;
}

/* Writes one line. What stands between @ signs and is no name of ours is text, as in "@media". */
static void write_line(FILE *out, const char *line, size_t length, const struct new_value *values)
{
    const char *at = line, *end = line + length;
    while (at < end) {
        const char *open = memchr(at, '@', (size_t)(end - at));
        const char *close = open == NULL ? NULL : memchr(open + 1, '@', (size_t)(end - open - 1));
        if (close == NULL)
            break;
        const char *value = value_of(values, open + 1, (size_t)(close - open - 1));
        fwrite(at, 1, (size_t)(open - at), out);
        if (value != NULL) {
            fputs(value, out);
            at = close + 1;
        } else {
            fputc('@', out);
            at = open + 1;
        }
    }
    fwrite(at, 1, (size_t)(end - at), out);
}

/* Whether the word of a line "@if word" or "@if !word" holds. */
static bool holds(const char *line, size_t length, const struct new_value *values)
{
    const char *word = line + strlen("@if ");
    bool wanted = *word != '!';
    word += !wanted;
    return (value_of(values, word, (size_t)(line + length - word)) != NULL) == wanted;
}

char *new_text(const char *template, const struct new_value *values)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL)
        abort();
    bool kept = true;
    for (const char *line = template; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        if (strncmp(line, "@if ", 4) == 0)
            kept = holds(line, length, values);
        else if (length == 4 && strncmp(line, "@end", 4) == 0)
            kept = true;
        else if (kept)
            write_line(out, line, length + (line[length] == '\n'), values);
        line += length + (line[length] == '\n');
    }
    if (fclose(out) != 0)
        abort();
    return text;
}
