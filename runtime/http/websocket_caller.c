/*
 * The copy of an opening request and its caller; see websocket_caller.h.
 */
#include "websocket_caller.h"

#include <stdlib.h>
#include <string.h>

/* Measures while memory is NULL, then copies; both take the same way through the texts. */
struct copier {
    char *memory;
    size_t used;
};

static const char *copy_text(struct copier *copier, const char *text)
{
    if (text == NULL)
        return NULL;
    size_t size = strlen(text) + 1;
    char *copy = copier->memory != NULL ? memcpy(copier->memory + copier->used, text, size) : NULL;
    copier->used += size;
    return copy;
}

/* What only the opening of the socket was about; no call has a use for it. */
static bool of_handshake(const char *name)
{
    return strncmp(name, "sec-websocket-", 14) == 0 || strcmp(name, "connection") == 0 ||
           strcmp(name, "upgrade") == 0;
}

static size_t count_headers(const edge_header *headers)
{
    size_t count = 0;
    for (; headers != NULL && headers->name != NULL; headers++)
        count++;
    return count;
}

/* out has room for all of them and the end; it is NULL while measuring. */
static void copy_headers(struct copier *copier, const edge_header *headers, edge_header *out)
{
    for (; headers != NULL && headers->name != NULL; headers++) {
        if (of_handshake(headers->name))
            continue;
        edge_header copy = { copy_text(copier, headers->name), copy_text(copier, headers->value) };
        if (out != NULL)
            *out++ = copy;
    }
}

static void copy_all(
    struct copier *copier, const edge_ctx *ctx, struct websocket_caller *caller, edge_header *lists)
{
    const struct request_view *request = &ctx->request;
    const struct identity *identity = &ctx->identity;
    edge_header *params = lists != NULL ? lists + count_headers(request->headers) + 1 : NULL;
    copy_headers(copier, request->headers, lists);
    copy_headers(copier, request->params, params);
    caller->request = (struct request_view){
        .method = "POST",
        .path = copy_text(copier, request->path),
        .rest = copy_text(copier, request->rest),
        .query = copy_text(copier, request->query),
        .headers = lists,
        .params = params,
        .ip = copy_text(copier, request->ip),
        .origin = copy_text(copier, request->origin),
        .websocket = true,
    };
    caller->identity = (struct identity){
        .caller = identity->caller,
        .user = copy_text(copier, identity->user),
        .claims_json = copy_text(copier, identity->claims_json),
        .session = copy_text(copier, identity->session),
        .organisation = copy_text(copier, identity->organisation),
        .org_role = copy_text(copier, identity->org_role),
        .admin = identity->admin,
    };
}

struct websocket_caller *websocket_caller_copy(const edge_ctx *ctx, int64_t valid_until_us)
{
    struct copier copier = { 0 };
    struct websocket_caller measured;
    copy_all(&copier, ctx, &measured, NULL);

    size_t lists = count_headers(ctx->request.headers) + count_headers(ctx->request.params) + 2;
    size_t head = sizeof(struct websocket_caller) + lists * sizeof(edge_header);
    struct websocket_caller *caller = calloc(1, head + copier.used);
    if (caller == NULL)
        return NULL;
    copier = (struct copier){ .memory = (char *)caller + head };
    copy_all(&copier, ctx, caller, (edge_header *)(caller + 1));
    caller->valid_until_us = valid_until_us;
    return caller;
}
