/*
 * Reading the request.
 */
#include <context.h>

#include <edge/json.h>
#include <edge/request.h>

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

const edge_header *edge_request_headers(edge_ctx *ctx)
{
    static const edge_header none = { 0 };
    return ctx->request.headers != NULL ? ctx->request.headers : &none;
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
