/*
 * What a function says about its answer beside the JSON it returns.
 */
#include "response.h"

#include <context.h>

#include <edge/request.h>
#include <edge/response.h>

#include <string.h>
#include <strings.h>

/* Headers that the host alone decides; x-relay-error would make supabase-js blame the host. */
static const char *const host_headers[] = { "content-length", "transfer-encoding", "connection", "date",
    "x-relay-error", "sb-error-code", "x-request-id", "x-function-version", "x-function-stale", "keep-alive",
    "upgrade", "content-type", NULL };

bool response_is_token(const char *name)
{
    static const char allowed[] =
        "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    return name[0] != '\0' && name[strspn(name, allowed)] == '\0';
}

void edge_response_status(edge_ctx *ctx, int status)
{
    if (status < 200 || status > 599 || status == 204 || status == 304)
        edge_fail(ctx, 500, "internal_error", "A function cannot answer with status %d", status);
    ctx->response.status = status;
}

void edge_response_header(edge_ctx *ctx, const char *name, const char *value)
{
    bool reserved = strncasecmp(name, "access-control-", 15) == 0;
    for (const char *const *host = host_headers; *host != NULL; host++)
        reserved = reserved || strcasecmp(*host, name) == 0;
    if (reserved)
        edge_fail(ctx, 500, "internal_error", "The header \"%s\" is the host's", name);
    if (!response_is_token(name) || strpbrk(value, "\r\n") != NULL)
        edge_fail(ctx, 500, "internal_error", "The header \"%s\" is malformed", name);

    struct header_node *node = edge_alloc(ctx, sizeof *node);
    *node = (struct header_node){ .name = edge_copy(ctx, name), .value = edge_copy(ctx, value) };
    struct header_node **end = &ctx->response.headers;
    while (*end != NULL)
        end = &(*end)->next;
    *end = node;
}

/*
 * supabase-js reads every media type but JSON, octet-stream, pdf and multipart as text, which ruins binary
 * (clients.md 1): only a client that asks for the real type gets it.
 */
const char *response_safe_type(edge_ctx *ctx, const char *media_type)
{
    static const char *const readable[] = { "application/json", "application/octet-stream", "application/pdf",
        "text/", NULL };
    for (const char *const *type = readable; *type != NULL; type++)
        if (strncasecmp(media_type, *type, strlen(*type)) == 0)
            return media_type;

    const char *accept = edge_request_header(ctx, "accept");
    size_t length = strcspn(media_type, ";");
    const char *named = accept != NULL ? strcasestr(accept, edge_copy_bytes(ctx, media_type, length)) : NULL;
    return named != NULL ? media_type : "application/octet-stream";
}

void response_begin(edge_ctx *ctx, int status, const char *media_type, int64_t length)
{
    if (ctx->response.streaming || ctx->response.sent)
        edge_fail(ctx, 500, "internal_error", "The answer has already been started");
    ctx->response.sent = true;
    ctx->ops->begin(ctx, status, media_type, length);
}

/* A slow reader holds the function back, and not a second copy of a large body the memory. */
static void respond(edge_ctx *ctx, const char *media_type, const char *data, size_t length)
{
    response_begin(ctx, ctx->response.status, media_type, (int64_t)length);
    size_t piece = ctx->request.websocket ? length : STREAM_HIGH_WATER; /* a message is one piece */
    do {
        size_t now = length < piece ? length : piece;
        if (ctx->ops->write(ctx, data, now) > STREAM_HIGH_WATER)
            context_await_writable(ctx);
        data += now;
        length -= now;
    } while (length > 0 && !ctx->client_gone);
}

void edge_respond_bytes(edge_ctx *ctx, const char *media_type, const void *data, size_t length)
{
    respond(ctx, response_safe_type(ctx, media_type), data, length);
}

void edge_respond_json(edge_ctx *ctx, const char *text, size_t length)
{
    if (length == 0)
        edge_fail(ctx, 500, "internal_error", "A JSON answer cannot be empty");
    respond(ctx, "application/json", text, length);
}

void edge_respond_redirect(edge_ctx *ctx, int status, const char *location)
{
    static const char body[] = "{\"redirected\":true}";
    bool known = status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
    edge_response_header(ctx, "location", location);
    ctx->response.status = known ? status : 302;
    edge_respond_bytes(ctx, "application/json", body, sizeof body - 1);
}
