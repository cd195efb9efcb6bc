/*
 * Cookies of the answer (RFC 6265 4.1, and the prefixes and SameSite of its successor's draft).
 */
#include "response.h"

#include <context.h>

#include <string.h>
#include <strings.h>

enum {
    COOKIE_MAX_BYTES = 4096, /* name and value: what browsers keep */
};

EDGE_NORETURN static void refuse(edge_ctx *ctx, const char *name, const char *what)
{
    edge_fail(ctx, 500, "internal_error", "The cookie \"%s\" %s", name, what);
}

/* cookie-octet: visible ASCII without the quote, comma, semicolon and backslash. */
static bool is_value(const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++)
        if (*c <= 0x20 || *c >= 0x7f || strchr("\",;\\", *c) != NULL)
            return false;
    return true;
}

/* av-octets: no control characters, no semicolon. */
static bool is_attribute(const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++)
        if (*c < 0x20 || *c >= 0x7f || *c == ';')
            return false;
    return true;
}

static const char *same_site_of(edge_ctx *ctx, const char *name, const edge_cookie *cookie)
{
    static const char *const known[] = { "Lax", "Strict", "None", NULL };
    const char *wanted = cookie->same_site != NULL ? cookie->same_site : "Lax";
    for (const char *const *one = known; *one != NULL; one++)
        if (strcasecmp(*one, wanted) == 0)
            return *one;
    refuse(ctx, name, "has a same_site that is not Lax, Strict or None");
}

static void check(edge_ctx *ctx, const char *name, const char *value, const edge_cookie *cookie)
{
    const char *path = cookie->path != NULL ? cookie->path : "/";
    if (!response_is_token(name) || !is_value(value))
        refuse(ctx, name, "has a name or value that must be encoded first");
    if (strlen(name) + strlen(value) > COOKIE_MAX_BYTES)
        refuse(ctx, name, "is larger than 4096 bytes");
    if (path[0] != '/' || !is_attribute(path))
        refuse(ctx, name, "has a malformed path");
    if (cookie->domain != NULL && (cookie->domain[0] == '\0' || !is_attribute(cookie->domain)))
        refuse(ctx, name, "has a malformed domain");
    bool host = strncasecmp(name, "__Host-", 7) == 0;
    if ((host || strncasecmp(name, "__Secure-", 9) == 0) && cookie->insecure)
        refuse(ctx, name, "has a prefix that insecure ones cannot have");
    if (host && (cookie->domain != NULL || strcmp(path, "/") != 0))
        refuse(ctx, name, "has the prefix __Host-, which allows no domain and no path but /");
}

void edge_response_cookie_with(edge_ctx *ctx, const char *name, const char *value, const edge_cookie *cookie)
{
    check(ctx, name, value, cookie);
    const char *same_site = same_site_of(ctx, name, cookie);
    if (cookie->insecure && strcmp(same_site, "None") == 0)
        refuse(ctx, name, "has same_site None, which insecure ones cannot have");

    const char *age = "";
    if (cookie->max_age_seconds != 0)
        age = edge_format(
            ctx, "; Max-Age=%lld", cookie->max_age_seconds < 0 ? 0LL : (long long)cookie->max_age_seconds);
    edge_response_header(ctx, "set-cookie",
        edge_format(ctx, "%s=%s; Path=%s%s%s%s; SameSite=%s%s%s", name, value,
            cookie->path != NULL ? cookie->path : "/", cookie->domain != NULL ? "; Domain=" : "",
            cookie->domain != NULL ? cookie->domain : "", age, same_site, cookie->insecure ? "" : "; Secure",
            cookie->readable_by_scripts ? "" : "; HttpOnly"));
}
