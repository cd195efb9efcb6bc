/*
 * Decoding of paths. An encoded slash must not separate segments (a parameter may hold one), so it stays
 * encoded in the path; a parameter's value is decoded from the raw segment, once.
 */
#include "route_path.h"

#include <jansson.h>

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    char lower = (char)(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Value of the escape at text ("%XX"), or -1. */
static int escape_value(const char *text, size_t left)
{
    int high = left >= 3 ? hex_digit(text[1]) : -1;
    int low = high >= 0 ? hex_digit(text[2]) : -1;
    return low >= 0 ? high * 16 + low : -1;
}

/* Decodes one character at raw into out. Returns what was read, or 0 for a bad escape; *written is added to. */
static size_t decode_one(const char *raw, size_t left, char *out, size_t *written)
{
    if (raw[0] != '%') {
        out[(*written)++] = raw[0];
        return raw[0] != '\0' ? 1 : 0;
    }
    int value = escape_value(raw, left);
    if (value <= 0)
        return 0;
    if (value == '/') {
        memcpy(out + *written, "%2F", 3);
        *written += 3;
    } else {
        out[(*written)++] = (char)value;
    }
    return 3;
}

/* jansson refuses text that is no UTF-8, and so would every log line and answer that names this path. */
static bool utf8_valid(const char *text, size_t length)
{
    bool ascii = true;
    for (size_t i = 0; i < length; i++)
        ascii = ascii && (unsigned char)text[i] < 0x80;
    if (ascii)
        return true;
    json_t *string = json_stringn(text, length);
    json_decref(string);
    return string != NULL;
}

/* True for a segment "." or "..", where an encoded slash counts as a slash: a parameter is no way upwards. */
static bool has_dot_segment(const char *text, size_t length)
{
    size_t run = 0; /* characters of the segment so far, SIZE_MAX once it is an ordinary one */
    for (size_t i = 0; i <= length; i++) {
        bool encoded = length - i >= 3 && memcmp(text + i, "%2F", 3) == 0;
        if (i == length || text[i] == '/' || encoded) {
            if (run == 1 || run == 2)
                return true;
            run = 0;
            i += encoded ? 2 : 0;
        } else {
            run = text[i] == '.' && run != SIZE_MAX ? run + 1 : SIZE_MAX;
        }
    }
    return false;
}

static void cut(struct route_path *path)
{
    for (size_t i = 0; i < path->length; i++) {
        if (path->text[i] != '/')
            continue;
        if (path->segment_count > ROUTE_SEGMENT_MAX)
            return;
        path->starts[path->segment_count++] = i + 1;
    }
    if (path->segment_count <= ROUTE_SEGMENT_MAX)
        path->starts[path->segment_count] = path->length + 1;
}

/* Nothing to decode and nothing to refuse: printable ASCII without an escape, no segment begins with a dot. */
static bool is_plain(const char *raw, size_t length)
{
    bool plain = true;
    for (size_t i = 0; i < length; i++)
        plain = plain && raw[i] > ' ' && raw[i] != '%' && (raw[i] != '.' || raw[i - 1] != '/');
    return plain;
}

/* Returns the decoded length, or 0 for what is malformed. */
static size_t decode(const char *raw, size_t length, char *out)
{
    size_t written = 0;
    for (size_t i = 0; i < length;) {
        size_t read = decode_one(raw + i, length - i, out, &written);
        if (read == 0)
            return 0;
        i += read;
    }
    return utf8_valid(out, written) && !has_dot_segment(out, written) ? written : 0;
}

int route_path_read(struct route_path *path, const char *raw, size_t length, char *out)
{
    if (length == 0 || raw[0] != '/')
        return -EINVAL;

    bool plain = is_plain(raw, length);
    size_t written = plain ? length : decode(raw, length, out);
    if (written == 0)
        return -EINVAL;
    if (plain)
        memcpy(out, raw, length);
    out[written] = '\0';

    *path = (struct route_path){ .raw = raw, .raw_length = length, .text = out, .length = written };
    cut(path);
    return 0;
}

const char *route_path_segment(const struct route_path *path, size_t i, size_t *length)
{
    *length = path->starts[i + 1] - 1 - path->starts[i];
    return path->text + path->starts[i];
}

size_t route_path_value(const struct route_path *path, size_t i, char *out)
{
    const char *at = path->raw + 1, *end = path->raw + path->raw_length;
    while (i-- > 0)
        at = (const char *)memchr(at, '/', (size_t)(end - at)) + 1;

    size_t written = 0;
    for (; at < end && *at != '/'; at++) {
        int value = *at == '%' ? escape_value(at, (size_t)(end - at)) : -1;
        out[written++] = value >= 0 ? (char)value : *at;
        at += value >= 0 ? 2 : 0;
    }
    out[written] = '\0';
    return written;
}
