/*
 * Reading the request.
 */
#include <context.h>

#include <edge/json.h>
#include <edge/request.h>

#include <ctype.h>
#include <string.h>
#include <strings.h>

const char *edge_request_method(edge_ctx *ctx)
{
    return ctx->request.method;
}

const char *edge_request_path(edge_ctx *ctx)
{
    return ctx->request.path;
}

const char *edge_request_rest(edge_ctx *ctx)
{
    return ctx->request.rest != NULL ? ctx->request.rest : "";
}

const char *edge_request_param(edge_ctx *ctx, const char *name)
{
    for (const edge_header *param = ctx->request.params; param != NULL && param->name != NULL; param++)
        if (strcmp(param->name, name) == 0)
            return param->value;
    return NULL;
}

const char *edge_request_header(edge_ctx *ctx, const char *name)
{
    const char *found = NULL;
    for (const edge_header *header = ctx->request.headers; header != NULL && header->name != NULL; header++) {
        if (strcasecmp(header->name, name) != 0)
            continue;
        found = found == NULL ? header->value : edge_format(ctx, "%s, %s", found, header->value);
    }
    return found;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* application/x-www-form-urlencoded (WHATWG URL 5.1); a bad escape stays as it is. */
static char *form_decode(edge_ctx *ctx, const char *text, size_t length)
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
    return out;
}

const char *edge_request_query(edge_ctx *ctx, const char *name)
{
    const char *at = ctx->request.query != NULL ? ctx->request.query : "";
    if (strcmp(name, "forceFunctionRegion") == 0)
        return NULL; /* supabase-js's copy of x-region; no function's business */
    while (*at != '\0') {
        size_t pair = strcspn(at, "&");
        const char *equals = memchr(at, '=', pair);
        size_t key = equals != NULL ? (size_t)(equals - at) : pair;
        if (strcmp(form_decode(ctx, at, key), name) == 0)
            return equals != NULL ? form_decode(ctx, equals + 1, pair - key - 1) : "";
        at += pair;
        at += *at == '&';
    }
    return NULL;
}

const void *edge_request_body(edge_ctx *ctx, size_t *length)
{
    if (length != NULL)
        *length = ctx->request.body_length;
    return ctx->request.body != NULL ? ctx->request.body : "";
}

const char *edge_request_ip(edge_ctx *ctx)
{
    return ctx->request.ip != NULL ? ctx->request.ip : "";
}

const char *edge_request_origin(edge_ctx *ctx)
{
    return ctx->request.origin != NULL ? ctx->request.origin : "";
}

bool edge_request_websocket(edge_ctx *ctx)
{
    return ctx->request.websocket;
}

bool edge_request_wants_stream(edge_ctx *ctx, json_t *in)
{
    if (ctx->request.websocket || json_is_true(json_object_get(in, "stream")))
        return true;
    const char *accept = edge_request_header(ctx, "accept");
    return accept != NULL && strcasestr(accept, "text/event-stream") != NULL;
}
