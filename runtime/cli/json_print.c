/*
 * JSON on standard output; see json_print.h.
 */
#include "cli/json_print.h"

#include "base/json_dump.h"
#include "cli/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text_of(const json_t *value, size_t *length)
{
    const char *text = json_dump_shared(value, length);
    if (text == NULL)
        abort();
    return text;
}

void json_print(FILE *out, const json_t *value)
{
    size_t length;
    const char *text = text_of(value, &length);
    fwrite(text, 1, length, out);
}

void json_print_safely(const json_t *value)
{
    size_t length;
    const char *text = text_of(value, &length);
    print_safely(text, length);
}

static void print_break(FILE *out, int depth)
{
    fprintf(out, "\n%*s", 2 * depth, "");
}

/* A string's characters, quotes included. */
static size_t string_length(const char *text)
{
    size_t length = 1;
    while (text[length] != '"')
        length += text[length] == '\\' ? 2 : 1;
    return length + 1;
}

/* Between the compact text's tokens, which are left as they are. */
void json_print_indented(FILE *out, const json_t *value)
{
    size_t length;
    int depth = 0;
    for (const char *at = text_of(value, &length); *at != '\0'; at++) {
        bool opens = *at == '{' || *at == '[', closes = *at == '}' || *at == ']';
        bool empty = opens && (at[1] == '}' || at[1] == ']');
        if (*at == '"') {
            size_t size = string_length(at);
            fwrite(at, 1, size, out);
            at += size - 1;
            continue;
        }
        if (closes)
            print_break(out, --depth);
        putc(*at, out);
        if (empty)
            putc(*++at, out);
        else if (opens)
            print_break(out, ++depth);
        else if (*at == ',')
            print_break(out, depth);
        else if (*at == ':')
            putc(' ', out);
    }
}

char *json_text(const json_t *value, bool indented)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    if (out == NULL)
        abort();
    (indented ? json_print_indented : json_print)(out, value);
    if (fclose(out) != 0)
        abort();
    return text;
}
