/*
 * Names in snake_case.
 */
#include "lib/snake.h"

#include <ctype.h>
#include <string.h>

static const char *convert(edge_ctx *ctx, const char *name, bool split_capitals)
{
    char *out = edge_alloc(ctx, strlen(name) * 2 + 1);
    size_t length = 0;
    unsigned char before = ' ';
    for (; *name != '\0'; name++) {
        unsigned char c = (unsigned char)*name;
        bool plain = isalnum(c) && c < 0x80;
        bool capital = split_capitals && isupper(c) && (islower(before) || isdigit(before));
        if ((!plain || capital) && length > 0 && out[length - 1] != '_')
            out[length++] = '_';
        if (plain)
            out[length++] = (char)tolower(c);
        before = c;
    }
    while (length > 0 && out[length - 1] == '_')
        length--;
    out[length] = '\0';
    return out;
}

const char *snake_case(edge_ctx *ctx, const char *name)
{
    return convert(ctx, name, true);
}

const char *snake_plain(edge_ctx *ctx, const char *name)
{
    return convert(ctx, name, false);
}

json_t *snake_object(edge_ctx *ctx, const json_t *object)
{
    json_t *converted = json_object();
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)object, name, value)
    {
        const char *snake = snake_case(ctx, name);
        if (strcmp(snake, name) == 0 || json_object_get(object, snake) == NULL)
            json_object_set(converted, snake[0] != '\0' ? snake : name, value);
    }
    return converted;
}
