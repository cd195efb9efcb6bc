/*
 * UTF-8, for texts that do not come through jansson.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the character at text (RFC 3629), and the character; 0: the bytes there are none. */
static inline size_t utf8_next(const char *text, size_t length, uint32_t *character)
{
    const unsigned char *at = (const unsigned char *)text;
    if (length == 0)
        return 0;
    if (at[0] < 0x80) {
        *character = at[0];
        return 1;
    }
    size_t size = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    if (at[0] < 0xc2 || at[0] > 0xf4 || length < size)
        return 0;
    uint32_t value = at[0] & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        value = value << 6 | (at[i] & 0x3f);
    }
    if (value < least[size] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        return 0;
    *character = value;
    return size;
}

/* True when all of it is UTF-8 without U+0000: what a C string, JSON and PostgreSQL can hold. */
static inline bool utf8_is_text(const char *text, size_t length)
{
    uint32_t character = 0;
    for (size_t at = 0; at < length;) {
        size_t size = utf8_next(text + at, length - at, &character);
        if (size == 0 || character == 0)
            return false;
        at += size;
    }
    return true;
}

#endif
