/*
 * Query parameters and cookies, decoded into lists by the first call that asks.
 */
#include "utf8.h"
#include "validate.h"

#include <edge/request.h>

#include <string.h>
#include <strings.h>

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* What is not UTF-8 becomes U+FFFD, as in browsers (WHATWG Encoding 4.1), so that JSON and SQL can have it. */
static const char *as_utf8(edge_ctx *ctx, const char *text, size_t length)
{
    if (utf8_is_text(text, length))
        return text;
    char *out = edge_alloc(ctx, length * 3 + 1), *to = out;
    for (size_t i = 0; i < length;) {
        uint32_t character = 0;
        size_t size = utf8_next(text + i, length - i, &character);
        memcpy(to, size > 0 ? text + i : "\xef\xbf\xbd", size > 0 ? size : 3);
        to += size > 0 ? size : 3;
        i += size > 0 ? size : 1;
    }
    return out;
}

/* application/x-www-form-urlencoded (WHATWG URL 5.1); a bad escape stays as it is. */
static const char *form_decode(edge_ctx *ctx, const char *text, size_t length)
{
    char *out = edge_alloc(ctx, length + 1), *at = out;
    for (size_t i = 0; i < length; i++) {
        int high = text[i] == '%' && i + 2 < length ? hex_digit(text[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
        if (low >= 0) {
            *at++ = (char)(high * 16 + low);
            i += 2;
        } else {
            *at++ = text[i] == '+' ? ' ' : text[i];
        }
    }
    if (memchr(out, '\0', (size_t)(at - out)) != NULL)
        input_refuse(ctx, "The query must not contain U+0000");
    return as_utf8(ctx, out, (size_t)(at - out));
}

static size_t count_of(const char *text, char separator)
{
    size_t count = 1;
    for (; *text != '\0'; text++)
        count += *text == separator;
    return count;
}

const edge_header *edge_request_queries(edge_ctx *ctx)
{
    if (ctx->request.queries != NULL)
        return ctx->request.queries;
    const char *at = ctx->request.query != NULL ? ctx->request.query : "";
    edge_header *list = edge_alloc(ctx, (count_of(at, '&') + 1) * sizeof *list);
    size_t count = 0;
    for (; *at != '\0'; at += *at == '&') {
        size_t pair = strcspn(at, "&");
        const char *equals = memchr(at, '=', pair);
        size_t key = equals != NULL ? (size_t)(equals - at) : pair;
        const char *name = form_decode(ctx, at, key);
        /* forceFunctionRegion is supabase-js's copy of x-region; no function's business */
        if (pair > 0 && strcmp(name, "forceFunctionRegion") != 0)
            list[count++] =
                (edge_header){ name, equals != NULL ? form_decode(ctx, equals + 1, pair - key - 1) : "" };
        at += pair;
    }
    ctx->request.queries = list;
    return list;
}

static const char *find(const edge_header *list, const char *name)
{
    for (; list->name != NULL; list++)
        if (strcmp(list->name, name) == 0)
            return list->value;
    return NULL;
}

const char *edge_request_query(edge_ctx *ctx, const char *name)
{
    return find(edge_request_queries(ctx), name);
}

static const char *trimmed(edge_ctx *ctx, const char *text, size_t length)
{
    while (length > 0 && (*text == ' ' || *text == '\t'))
        text++, length--;
    while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t'))
        length--;
    if (length >= 2 && text[0] == '"' && text[length - 1] == '"')
        text++, length -= 2; /* a cookie-value may stand in quotes (RFC 6265 4.1.1) */
    return as_utf8(ctx, edge_copy_bytes(ctx, text, length), length);
}

static size_t read_cookies(edge_ctx *ctx, const char *at, edge_header *list)
{
    size_t count = 0;
    for (; *at != '\0'; at += *at == ';') {
        size_t pair = strcspn(at, ";");
        const char *equals = memchr(at, '=', pair);
        if (equals != NULL)
            list[count++] = (edge_header){ trimmed(ctx, at, (size_t)(equals - at)),
                trimmed(ctx, equals + 1, pair - (size_t)(equals + 1 - at)) };
        at += pair;
    }
    return count;
}

/* HTTP/2 clients may send a line a cookie (RFC 9113 8.2.3). */
const edge_header *edge_request_cookies(edge_ctx *ctx)
{
    if (ctx->request.cookies != NULL)
        return ctx->request.cookies;
    size_t most = 0, count = 0;
    for (const edge_header *header = edge_request_headers(ctx); header->name != NULL; header++)
        if (strcasecmp(header->name, "cookie") == 0)
            most += count_of(header->value, ';');
    edge_header *list = edge_alloc(ctx, (most + 1) * sizeof *list);
    for (const edge_header *header = edge_request_headers(ctx); header->name != NULL; header++)
        if (strcasecmp(header->name, "cookie") == 0)
            count += read_cookies(ctx, header->value, list + count);
    ctx->request.cookies = list;
    return list;
}

const char *edge_request_cookie(edge_ctx *ctx, const char *name)
{
    return find(edge_request_cookies(ctx), name);
}
