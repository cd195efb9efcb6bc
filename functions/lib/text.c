/*
 * Growing text. The buffer doubles, and what it outgrows stays in the arena: at most as much again.
 */
#include "lib/text.h"

#include <string.h>

#define WHITE_SPACE " \t\n\r\f\v"

enum {
    FIRST_CAPACITY = 256,
};

void text_add_bytes(struct text *text, const char *more, size_t length)
{
    if (text->length + length >= text->capacity) {
        size_t capacity = text->capacity == 0 ? FIRST_CAPACITY : text->capacity * 2;
        while (capacity <= text->length + length)
            capacity *= 2;
        char *grown = edge_alloc(text->ctx, capacity);
        if (text->length > 0)
            memcpy(grown, text->data, text->length);
        text->data = grown;
        text->capacity = capacity;
    }
    memcpy(text->data + text->length, more, length);
    text->length += length;
    text->data[text->length] = '\0';
}

void text_add(struct text *text, const char *more)
{
    text_add_bytes(text, more, strlen(more));
}

void text_add_format(struct text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    text_add(text, edge_vformat(text->ctx, format, args));
    va_end(args);
}

void text_clear(struct text *text)
{
    text->length = 0;
    if (text->data != NULL)
        text->data[0] = '\0';
}

const char *text_value(const struct text *text)
{
    return text->data != NULL ? text->data : "";
}

static bool starts_code_point(char byte)
{
    return ((unsigned char)byte & 0xc0) != 0x80;
}

size_t text_characters(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += starts_code_point(*text);
    return count;
}

const char *text_cut(edge_ctx *ctx, const char *text, size_t max)
{
    size_t count = 0;
    for (size_t i = 0; text[i] != '\0'; i++)
        if (starts_code_point(text[i]) && count++ == max)
            return edge_copy_bytes(ctx, text, i);
    return text;
}

static size_t trim(const char **text)
{
    *text += strspn(*text, WHITE_SPACE);
    size_t length = strlen(*text);
    while (length > 0 && strchr(WHITE_SPACE, (*text)[length - 1]) != NULL)
        length--;
    return length;
}

const char *text_trim(edge_ctx *ctx, const char *text)
{
    size_t length = trim(&text);
    return edge_copy_bytes(ctx, text, length);
}

bool text_same_trimmed(const char *a, const char *b)
{
    size_t length = trim(&a);
    return trim(&b) == length && memcmp(a, b, length) == 0;
}
