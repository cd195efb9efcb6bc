/*
 * Taking URLs apart; see url.h.
 *
 * libcurl turns 0x7f.1, 2130706433 and %31%32%37.0.0.1 into 127.0.0.1, which is right for a client and says
 * enough about a URL that somebody handed in: an address is taken in its usual spelling only.
 */
#include "url.h"

#include <context.h>

#include <arpa/inet.h>
#include <curl/curl.h>
#include <string.h>
#include <strings.h>

enum {
    URL_MAX_BYTES = 8192
};

struct reading {
    edge_ctx *ctx;
    const char *text, *base;
    struct url_parts *parts;
    size_t wanted; /* what the arena had no room for */
};

/* A part as a copy in the arena; NULL when the URL has none. */
static const char *part_of(struct reading *reading, CURLU *url, CURLUPart part, unsigned flags)
{
    char *text = NULL, *copy = NULL;
    CURLUcode code = curl_url_get(url, part, &text, flags);
    if (code == CURLUE_OK) {
        size_t size = strlen(text) + 1;
        copy = arena_alloc(&reading->ctx->arena, size);
        if (copy != NULL)
            memcpy(copy, text, size);
        else
            reading->wanted = size;
    } else if (code == CURLUE_OUT_OF_MEMORY) {
        reading->wanted = URL_MAX_BYTES;
    }
    curl_free(text);
    return copy;
}

/* Whether the host stands in the text as it is; a relative reference has none. */
static bool stands_in(const char *text, const char *host)
{
    const char *authority = strstr(text, "//");
    size_t before = strcspn(text, "?#"), length = strlen(host);
    bool relative = authority == NULL || (size_t)(authority - text) >= before;
    if (relative || (authority > text && authority[-1] != ':'))
        return true;
    return strncasecmp(authority + 2, host, length) == 0 && strchr(":/?#", authority[2 + length]) != NULL;
}

static void read_host(struct reading *reading, CURLU *url)
{
    struct url_parts *parts = reading->parts;
    struct in_addr in;
    const char *zone = part_of(reading, url, CURLUPART_ZONEID, 0);
    char *host = (char *)part_of(reading, url, CURLUPART_HOST, 0);
    parts->host = host;
    if (host == NULL)
        return;
    if (host[0] == '[') {
        parts->literal = true;
        parts->odd_host = zone != NULL;
        host[strlen(host) - 1] = '\0';
        parts->host = host + 1;
    } else if (inet_pton(AF_INET, host, &in) == 1) {
        parts->literal = true;
        parts->odd_host = !stands_in(reading->text, host);
    }
}

static void read_rest(struct reading *reading, CURLU *url)
{
    struct url_parts *parts = reading->parts;
    const char *scheme = part_of(reading, url, CURLUPART_SCHEME, 0);
    const char *port = part_of(reading, url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    parts->user = part_of(reading, url, CURLUPART_USER, 0) != NULL ||
                  part_of(reading, url, CURLUPART_PASSWORD, 0) != NULL ||
                  part_of(reading, url, CURLUPART_OPTIONS, 0) != NULL;
    parts->tls = scheme != NULL && strcmp(scheme, "https") == 0;
    parts->usual_port = port != NULL && strcmp(port, parts->tls ? "443" : "80") == 0;
    if (scheme == NULL || (!parts->tls && strcmp(scheme, "http") != 0))
        return;
    read_host(reading, url);
    curl_url_set(url, CURLUPART_FRAGMENT, NULL, 0);
    parts->url = part_of(reading, url, CURLUPART_URL, 0);
    if (parts->url != NULL)
        parts->target = strchr(strstr(parts->url, "//") + 2, '/');
    parts->malformed = parts->host == NULL || parts->target == NULL;
}

/* libcurl is content with fewer slashes, and with more. */
static bool is_absolute(const char *text)
{
    return strncasecmp(text, "https://", 8) == 0 || strncasecmp(text, "http://", 7) == 0;
}

static void read_on_loop(void *arg)
{
    struct reading *reading = arg;
    *reading->parts = (struct url_parts){ .malformed = true };
    if (strlen(reading->text) > URL_MAX_BYTES || (reading->base == NULL && !is_absolute(reading->text)))
        return;
    CURLU *url = curl_url();
    if (url == NULL) {
        reading->wanted = URL_MAX_BYTES;
        return;
    }
    bool set = reading->base == NULL || curl_url_set(url, CURLUPART_URL, reading->base, 0) == CURLUE_OK;
    if (set && curl_url_set(url, CURLUPART_URL, reading->text, CURLU_URLENCODE) == CURLUE_OK)
        read_rest(reading, url);
    curl_url_cleanup(url);
}

void url_read(edge_ctx *ctx, const char *text, const char *base, struct url_parts *parts)
{
    struct reading reading = { .ctx = ctx, .text = text, .base = base, .parts = parts };
    fiber_on_loop(read_on_loop, &reading);
    if (reading.wanted == 0)
        return;
    /* Asking again for what the loop could not get says it in the arena's own words. */
    edge_alloc(ctx, reading.wanted);
    edge_fail(ctx, 500, "memory_limit", "The host is out of memory");
}
