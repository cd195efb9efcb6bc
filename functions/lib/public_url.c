/*
 * URLs that anybody on the internet can open.
 */
#include "lib/public_url.h"

#include <stdlib.h>
#include <string.h>

#include "lib/field.h"

enum {
    URL_MAX = 2048,
    PORT_MAX = 65535,
};

/* What is no public unicast address: https://www.iana.org/assignments/iana-ipv4-special-registry */
static const struct block {
    uint32_t address;
    int bits;
} special[] = {
    { 0x00000000, 8 },
    { 0x0a000000, 8 },
    { 0x64400000, 10 },
    { 0x7f000000, 8 },
    { 0xa9fe0000, 16 },
    { 0xac100000, 12 },
    { 0xc0000000, 24 },
    { 0xc0000200, 24 },
    { 0xc0586300, 24 },
    { 0xc0a80000, 16 },
    { 0xc6120000, 15 },
    { 0xc6336400, 24 },
    { 0xcb007100, 24 },
    { 0xe0000000, 3 },
};

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcasecmp(text + length - tail, end) == 0;
}

/* Browsers take a host whose last label is a number for an address, in octal and hexadecimal too (WHATWG
 * URL 3.5). */
static bool looks_like_address(const char *host)
{
    const char *last = strrchr(host, '.') + 1;
    return strspn(last, FIELD_DIGITS) == strlen(last) || strncasecmp(last, "0x", 2) == 0;
}

/* Four decimal numbers without leading zeros, outside of the special blocks. */
static bool is_public_address(const char *host)
{
    uint32_t address = 0;
    for (int part = 0; part < 4; part++) {
        size_t digits = strspn(host, FIELD_DIGITS);
        int value = atoi(host);
        if (digits == 0 || digits > 3 || value > 255 || (digits > 1 && host[0] == '0'))
            return false;
        address = address << 8 | (uint32_t)value;
        if (host[digits] != (part < 3 ? '.' : '\0'))
            return false;
        host += digits + 1;
    }
    for (size_t i = 0; i < sizeof special / sizeof *special; i++)
        if ((address ^ special[i].address) >> (32 - special[i].bits) == 0)
            return false;
    return true;
}

/* An IPv6 literal has no dot that would do here, so it is refused with the names of one label. */
static bool is_public_host(const char *host)
{
    static const char *const ends[] = { "localhost", ".local", ".internal", ".localhost" };
    const char *dot = strchr(host, '.');
    if (dot == NULL || dot == host || strstr(host, "..") != NULL || strpbrk(host, "[]%:<>\"`{|}^") != NULL)
        return false;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (ends_with(host, ends[i]) && (i > 0 || strlen(host) == strlen(ends[i])))
            return false;
    return !looks_like_address(host) || is_public_address(host);
}

static bool is_port(const char *port)
{
    size_t length = strlen(port);
    return length <= 5 && strspn(port, FIELD_DIGITS) == length && atoi(port) <= PORT_MAX;
}

static bool is_public(edge_ctx *ctx, const char *url, bool https_only)
{
    bool https = strncasecmp(url, "https://", 8) == 0, http = strncasecmp(url, "http://", 7) == 0;
    if (!https && (https_only || !http))
        return false;
    /* A backslash is a slash to browsers and part of a name to others: they would not agree on the host. */
    for (const unsigned char *c = (const unsigned char *)url; *c != '\0'; c++)
        if (*c <= 0x20 || *c == 0x7f || *c == '\\')
            return false;

    const char *start = url + (https ? 8 : 7);
    char *host = edge_copy_bytes(ctx, start, strcspn(start, "/?#"));
    if (strchr(host, '@') != NULL)
        return false;
    char *port = strchr(host, ':');
    if (port != NULL && !is_port(port + 1))
        return false;
    if (port != NULL)
        *port = '\0';
    size_t length = strlen(host);
    if (length > 0 && host[length - 1] == '.')
        host[length - 1] = '\0';
    return is_public_host(host);
}

static json_t *check(edge_ctx *ctx, const edge_field *field, json_t *value, bool https_only)
{
    const char *url = json_string_value(value);
    if (strlen(url) > URL_MAX)
        field_fail(ctx, field->name, "must have at most %d bytes", URL_MAX);
    if (!is_public(ctx, url, https_only))
        field_fail(
            ctx, field->name, "must be a public %s URL without a user", https_only ? "https" : "http or https");
    return value;
}

json_t *public_url_check_link(edge_ctx *ctx, const edge_field *field, json_t *value)
{
    return check(ctx, field, value, false);
}

json_t *public_url_check_image(edge_ctx *ctx, const edge_field *field, json_t *value)
{
    return check(ctx, field, value, true);
}
