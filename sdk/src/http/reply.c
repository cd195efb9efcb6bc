/*
 * Replies: headers, JSON, and what a reply that is no success means for the invocation.
 */
#include "call.h"

#include "provider.h"
#include "source.h"

#include <edge/json.h>

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum {
    LOGGED_BODY_BYTES = 500,
    ERROR_BODY_BYTES = 16 * 1024
};

const char *edge_reply_header(edge_ctx *ctx, const edge_reply *reply, const char *name)
{
    (void)ctx;
    for (const struct header_node *node = call_of(reply)->attempt.headers; node != NULL; node = node->next)
        if (strcasecmp(node->name, name) == 0)
            return node->value;
    return NULL;
}

/* application/json, and the types that end in +json (RFC 6839). */
static bool announces_json(edge_ctx *ctx, const edge_reply *reply)
{
    const char *type = edge_reply_header(ctx, reply, "content-type");
    if (type == NULL)
        return false;
    size_t length = strcspn(type, "; \t");
    return (length == 16 && strncasecmp(type, "application/json", length) == 0) ||
           (length > 5 && strncasecmp(type + length - 5, "+json", 5) == 0);
}

EDGE_NORETURN static void memory_limit(struct http_call *call)
{
    /* Asking again for what the loop could not get says it in the arena's own words. */
    edge_alloc(call->ctx, call->attempt.wanted_bytes);
    edge_fail(call->ctx, 500, "memory_limit",
        "The answer of provider \"%s\" does not fit into the function's memory", call->provider->settings.name);
}

void call_settle(struct http_call *call)
{
    const struct call_attempt *attempt = &call->attempt;
    edge_reply *reply = &call->reply;
    if (!call->request.streamed)
        sources_close(call);
    if (attempt->wanted_bytes > 0)
        memory_limit(call);
    if (attempt->unreadable != NULL)
        context_fail_detail(call->ctx, 500, "internal_error", "Internal error", call->message);

    if (attempt->failure != EDGE_HTTP_OK && reply->failure == EDGE_HTTP_OK) {
        reply->failure = attempt->failure;
        reply->message = call->message;
        call->provider->failures++;
    }
    if (call->request.streamed)
        return;

    bool whole = attempt->failure == EDGE_HTTP_OK && attempt->body != NULL;
    reply->body = whole ? attempt->body : "";
    reply->length = whole ? attempt->length : 0;
    if (whole && announces_json(call->ctx, reply))
        reply->json = edge_json_parse(call->ctx, reply->body, reply->length);
}

/* The provider's own words, for the log: one line of at most 500 bytes. */
static const char *provider_said(edge_ctx *ctx, const struct http_call *call)
{
    const edge_reply *reply = &call->reply;
    size_t length = reply->length < LOGGED_BODY_BYTES ? reply->length : LOGGED_BODY_BYTES;
    char *text = edge_copy_bytes(ctx, reply->body != NULL ? reply->body : "", reply->body != NULL ? length : 0);
    for (char *at = text; *at != '\0'; at++)
        if (iscntrl((unsigned char)*at))
            *at = ' ';
    return text;
}

static const char *describe(edge_ctx *ctx, const struct http_call *call)
{
    const char *name = call->provider->settings.name, *path = call->request.path;
    int path_length = (int)strcspn(path, "?"); /* queries carry keys */
    if (call->reply.failure != EDGE_HTTP_OK)
        return edge_format(
            ctx, "%s: %s %.*s: %s", name, call->request.method, path_length, path, call->reply.message);
    return edge_format(ctx, "%s: %s %.*s answered %d: %s", name, call->request.method, path_length, path,
        call->reply.status, provider_said(ctx, call));
}

EDGE_NORETURN static void fail(
    edge_ctx *ctx, const struct http_call *call, int status, const char *code, const char *message)
{
    edge_failure said = { .message = message };
    if (status == 429 || call->reply.failure == EDGE_HTTP_BREAKER_OPEN)
        said.retry_after_seconds = call->reply.retry_after_seconds;
    context_fail(ctx, status, code, &said, describe(ctx, call));
    fiber_exit();
}

EDGE_NORETURN static void fail_without_answer(edge_ctx *ctx, const struct http_call *call)
{
    const char *name = call->provider->settings.name;
    switch (call->reply.failure) {
    case EDGE_HTTP_TIMEOUT:
        fail(ctx, call, 504, "provider_timeout",
            edge_format(ctx, "Provider \"%s\" did not answer in time", name));
    case EDGE_HTTP_TOO_LARGE:
        fail(ctx, call, 502, "provider_bad_response",
            edge_format(ctx, "Provider \"%s\" answered more than can be taken", name));
    case EDGE_HTTP_BREAKER_OPEN:
        fail(ctx, call, 502, "provider_unreachable",
            edge_format(ctx, "Provider \"%s\" has been failing and is not called for the moment", name));
    case EDGE_HTTP_URL_REFUSED:
        fail(ctx, call, 400, "url_not_allowed", "The URL is not allowed");
    case EDGE_HTTP_CLIENT_GONE:
        fail(ctx, call, 499, "client_gone", "The client closed the connection");
    default:
        fail(ctx, call, 502, "provider_unreachable",
            edge_format(ctx, "Provider \"%s\" cannot be reached", name));
    }
}

/* Front ends look for "Rate limit" and "429", and for "credits", in these messages (spec, ai.md S1). */
EDGE_NORETURN static void fail_with_status(edge_ctx *ctx, const struct http_call *call)
{
    const char *name = call->provider->settings.name;
    switch (call->reply.status) {
    case 429:
        fail(ctx, call, 429, "provider_rate_limited",
            edge_format(ctx, "Rate limit of provider \"%s\" reached (429)", name));
    case 402:
        fail(ctx, call, 402, "out_of_credits",
            edge_format(ctx, "The account at provider \"%s\" is out of credits", name));
    case 400:
    case 413:
    case 422:
        fail(ctx, call, 422, "provider_rejected",
            edge_format(ctx, "Provider \"%s\" rejected the request", name));
    default:
        fail(ctx, call, 502, "provider_error",
            edge_format(ctx, "Provider \"%s\" answered with an error (%d)", name, call->reply.status));
    }
}

void edge_reply_check(edge_ctx *ctx, const edge_reply *reply)
{
    struct http_call *call = call_of(reply);
    bool success = reply->status >= 200 && reply->status <= 299;
    if (reply->failure == EDGE_HTTP_OK && !success && reply->body == NULL) {
        /* A stream that is an error: its text is for the log, and short. What comes of it changes nothing. */
        int status = reply->status, retry_after = reply->retry_after_seconds;
        call->request.max_bytes = ERROR_BODY_BYTES;
        edge_reply_finish(ctx, &call->reply);
        call->reply.failure = EDGE_HTTP_OK;
        call->reply.status = status;
        call->reply.retry_after_seconds = retry_after;
    }
    if (reply->failure != EDGE_HTTP_OK)
        fail_without_answer(ctx, call);
    if (!success)
        fail_with_status(ctx, call);
    if (reply->body != NULL && reply->json == NULL && strcmp(call->request.method, "HEAD") != 0 &&
        reply->status != 204 && reply->status != 205 && announces_json(ctx, reply))
        fail(ctx, call, 502, "provider_bad_response",
            edge_format(ctx, "Provider \"%s\" answered with something that is not JSON",
                call->provider->settings.name));
}
