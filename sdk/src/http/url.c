/*
 * Percent-encoding (RFC 3986 2.1), and the check of what functions append to a base URL.
 */
#include "url.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static bool is_unreserved(unsigned char c)
{
    return isascii(c) && (isalnum(c) || strchr("-._~", c) != NULL);
}

const char *edge_url_encode(edge_ctx *ctx, const char *text)
{
    static const char digits[] = "0123456789ABCDEF";
    char *encoded = edge_alloc(ctx, strlen(text) * 3 + 1), *at = encoded;
    for (const unsigned char *from = (const unsigned char *)text; *from != '\0'; from++) {
        if (is_unreserved(*from)) {
            *at++ = (char)*from;
            continue;
        }
        *at++ = '%';
        *at++ = digits[*from >> 4];
        *at++ = digits[*from & 15];
    }
    return encoded;
}

/* "." and "..", also with encoded dots: servers resolve them, and the call would leave its path. */
static bool is_dot_segment(const char *segment, size_t length)
{
    size_t dots = 0, at = 0;
    while (at < length) {
        if (segment[at] == '.') {
            at++;
        } else if (length - at >= 3 && strncasecmp(segment + at, "%2e", 3) == 0) {
            at += 3;
        } else {
            return false;
        }
        dots++;
    }
    return dots == 1 || dots == 2;
}

bool url_path_is_sound(const char *path)
{
    if (path[0] != '\0' && path[0] != '/' && path[0] != '?')
        return false; /* "@elsewhere" or ".elsewhere" would change the host */
    for (const unsigned char *at = (const unsigned char *)path; *at != '\0'; at++)
        if (*at <= ' ' || *at >= 0x7f || *at == '\\' || *at == '#')
            return false;

    const char *end = path + strcspn(path, "?");
    for (const char *segment = path; segment < end;) {
        segment += *segment == '/';
        size_t length = strcspn(segment, "/?");
        if (is_dot_segment(segment, length))
            return false;
        segment += length;
    }
    return true;
}
