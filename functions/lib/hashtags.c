/*
 * Hashtags. Letters are all of Unicode's: what is not ASCII is taken as one unless it is punctuation or white
 * space as writers use it. Case is compared in ASCII.
 */
#include "lib/hashtags.h"

#include <string.h>
#include <strings.h>

enum {
    TAGS_MAX = 30,
};

/* Code points beyond ASCII that are no letters: Latin-1 signs, general punctuation and symbols, emoji, CJK
 * marks. */
static const struct {
    uint32_t first, last;
} no_letters[] = {
    { 0x80, 0xa9 },
    { 0xab, 0xb4 },
    { 0xb6, 0xb9 },
    { 0xbb, 0xbf },
    { 0xd7, 0xd7 },
    { 0xf7, 0xf7 },
    { 0x2000, 0x2bff },
    { 0x2e00, 0x2e7f },
    { 0x3000, 0x3004 },
    { 0x3007, 0x3030 },
    { 0xd800, 0xf8ff },
    { 0xfe00, 0xfe6f },
    { 0xff00, 0xff0f },
    { 0xff1a, 0xff20 },
    { 0x1f000, 0x1faff },
    { 0xe0000, 0x10ffff },
};

/* The code point at text, and how many bytes it has. */
static uint32_t decode(const char *text, size_t *length)
{
    unsigned char first = (unsigned char)text[0];
    *length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    uint32_t code = *length == 1 ? first : first & (0x7fU >> *length);
    for (size_t i = 1; i < *length; i++)
        code = code << 6 | ((unsigned char)text[i] & 0x3f);
    return code;
}

static bool belongs(uint32_t code)
{
    if (code < 0x80)
        return (code >= '0' && code <= '9') || (code >= 'A' && code <= 'Z') || (code >= 'a' && code <= 'z') ||
               code == '_';
    for (size_t i = 0; i < sizeof no_letters / sizeof *no_letters; i++)
        if (code >= no_letters[i].first && code <= no_letters[i].last)
            return false;
    return true;
}

/* "#tag", or "#" alone when nothing is left. */
static const char *clean(edge_ctx *ctx, const char *text)
{
    char *tag = edge_alloc(ctx, strlen(text) + 2);
    size_t used = 1, length;
    tag[0] = '#';
    for (; *text != '\0'; text += length) {
        if (!belongs(decode(text, &length)))
            continue;
        memcpy(tag + used, text, length);
        used += length;
    }
    return tag;
}

static bool has(json_t *tags, const char *tag)
{
    size_t i;
    json_t *other;
    json_array_foreach(tags, i, other) if (strcasecmp(json_string_value(other), tag) == 0) return true;
    return false;
}

json_t *hashtags_clean(edge_ctx *ctx, json_t *tags)
{
    json_t *kept = json_array();
    for (size_t i = 0; i < json_array_size(tags) && json_array_size(kept) < TAGS_MAX; i++) {
        const char *text = json_string_value(json_array_get(tags, i));
        const char *tag = text != NULL ? clean(ctx, text) : "#";
        if (tag[1] != '\0' && !has(kept, tag))
            json_array_append_new(kept, json_string(tag));
    }
    return kept;
}

bool hashtags_in_text(const char *text, const char *tag)
{
    size_t length;
    while ((text = strcasestr(text, tag)) != NULL) {
        text += strlen(tag);
        if (*text == '\0' || !belongs(decode(text, &length)))
            return true;
    }
    return false;
}
