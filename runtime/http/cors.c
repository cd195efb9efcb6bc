/*
 * Cross-origin headers: who may read an answer, and what a preflight allows.
 */
#include "cors.h"

#include <string.h>
#include <strings.h>

/* supabase-js's own list, and what its region, tracing and the product's session header add to it. */
static const char canonical_headers[] =
    "authorization, x-client-info, apikey, content-type, x-retry-count, x-clerk-auth, idempotency-key,"
    " traceparent, tracestate, baggage, x-region";

static const char methods[] = "GET, POST, PUT, PATCH, DELETE, OPTIONS";

/* A browser hides all others from the page: supabase-js's relay errors could not be told apart. */
static const char exposed_headers[] =
    "x-relay-error, sb-error-code, x-request-id, x-function-version, x-function-stale, retry-after";

/* Two hours is the longest that Chromium keeps a preflight. */
static const char max_age_seconds[] = "7200";

static const char *header_value(const edge_header *headers, const char *name)
{
    for (const edge_header *header = headers; header->name != NULL; header++)
        if (strcasecmp(header->name, name) == 0)
            return header->value;
    return NULL;
}

bool cors_is_preflight(const char *method, const edge_header *request)
{
    return strcmp(method, "OPTIONS") == 0 && header_value(request, "origin") != NULL &&
           header_value(request, "access-control-request-method") != NULL;
}

static bool any_origin(const char *const *origins)
{
    for (; *origins != NULL; origins++)
        if (strcmp(*origins, "*") == 0)
            return true;
    return false;
}

/* The configuration's copy of the request's origin, NULL when it is not on the list. */
static const char *listed_origin(const char *const *origins, const char *origin)
{
    for (; origin != NULL && *origins != NULL; origins++)
        if (strcmp(*origins, origin) == 0)
            return *origins;
    return NULL;
}

/*
 * The two headers that depend on the origin. Vary is sent even when the origin is not listed, or is absent:
 * a cache must not hand this answer to an origin that is.
 */
static size_t write_origin(
    const char *const *origins, const edge_header *request, const char *vary, edge_header *out, bool *allowed)
{
    size_t count = 0;
    bool any = any_origin(origins);
    const char *origin = any ? "*" : listed_origin(origins, header_value(request, "origin"));
    *allowed = origin != NULL;
    if (origin != NULL)
        out[count++] = (edge_header){ "access-control-allow-origin", origin };
    if (!any)
        out[count++] = (edge_header){ "vary", vary };
    return count;
}

size_t cors_answer(const char *const *origins, const edge_header *request, edge_header out[CORS_HEADER_MAX])
{
    bool allowed = false;
    size_t count = write_origin(origins, request, "Origin", out, &allowed);
    if (allowed)
        out[count++] = (edge_header){ "access-control-expose-headers", exposed_headers };
    return count;
}

static bool is_token(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/* True when the comma-separated list holds the name, ignoring case. */
static bool list_has(const char *list, const char *name, size_t length)
{
    while (*list != '\0') {
        size_t item = strcspn(list, ", ");
        if (item == length && strncasecmp(list, name, length) == 0)
            return true;
        list += item;
        list += strspn(list, ", ");
    }
    return false;
}

/*
 * The canonical list and after it what was asked for beyond it. Anything that is no list of header names is
 * answered with the canonical list alone: nothing of it may reach the answer.
 */
static const char *allowed_headers(const char *asked, char scratch[CORS_SCRATCH_BYTES])
{
    size_t written = sizeof canonical_headers - 1;
    memcpy(scratch, canonical_headers, sizeof canonical_headers);

    for (const char *at = asked != NULL ? asked : ""; *at != '\0';) {
        size_t length = 0;
        while (is_token(at[length]))
            length++;
        if (length > 0 && !list_has(scratch, at, length)) {
            if (written + length + 3 > CORS_SCRATCH_BYTES)
                return canonical_headers;
            memcpy(scratch + written, ", ", 2);
            memcpy(scratch + written + 2, at, length);
            written += length + 2;
            scratch[written] = '\0';
        }
        at += length;
        size_t gap = strspn(at, ", \t");
        if (gap == 0 && *at != '\0')
            return canonical_headers;
        at += gap;
    }
    return scratch;
}

size_t cors_preflight(const char *const *origins, const edge_header *request, char scratch[CORS_SCRATCH_BYTES],
    edge_header out[CORS_HEADER_MAX])
{
    bool allowed = false;
    size_t count = write_origin(origins, request, "Origin, Access-Control-Request-Headers", out, &allowed);
    if (!allowed)
        return count;

    const char *asked = header_value(request, "access-control-request-headers");
    out[count++] = (edge_header){ "access-control-allow-methods", methods };
    out[count++] = (edge_header){ "access-control-allow-headers", allowed_headers(asked, scratch) };
    out[count++] = (edge_header){ "access-control-expose-headers", exposed_headers };
    out[count++] = (edge_header){ "access-control-max-age", max_age_seconds };
    return count;
}
