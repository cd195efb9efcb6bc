/*
 * edge_fetch_public: documents at URLs that people hand in. Redirects are followed here and not by libcurl,
 * because every one of them leads to a URL that has to be looked at like the first.
 */
#include "call.h"

#include "provider.h"
#include "target.h"

#include <string.h>

enum {
    REDIRECTS_MAX = 5
};

static struct http_call *make(edge_ctx *ctx, const char *provider, const edge_fetch_options *options)
{
    struct http_call *call = call_make(ctx, provider, options, false);
    const char *method = call->request.method;
    if (call->request.target == NULL || !call->provider->settings.public_urls)
        call_refuse(call, "only a .url of a provider with public_urls is fetched like this", method);
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        call_refuse(call, "a public URL is read, with GET or HEAD, not", method);
    call->request.follows = true;
    return call;
}

/* Where the answer sends us on to; NULL when it is the answer. */
static const char *next_location(const struct http_call *call)
{
    if (call->attempt.failure != EDGE_HTTP_OK || !call_is_redirect(call->reply.status))
        return NULL;
    return edge_reply_header(call->ctx, &call->reply, "location");
}

edge_reply *edge_try_fetch_public_with(edge_ctx *ctx, const char *provider, const edge_fetch_options *options)
{
    struct http_call *call = make(ctx, provider, options);
    int left = options->redirects_max != 0 ? options->redirects_max : REDIRECTS_MAX;
    call_perform(&call, 1);
    const char *location = next_location(call);
    while (location != NULL && left-- > 0) {
        target_follow(call, location);
        call->step = STEP_BEGIN;
        call_finish(&call, 1);
        location = next_location(call);
    }
    call_settle(call);
    return &call->reply;
}

edge_reply *edge_fetch_public_with(edge_ctx *ctx, const char *provider, const edge_fetch_options *options)
{
    edge_reply *reply = edge_try_fetch_public_with(ctx, provider, options);
    edge_reply_check(ctx, reply);
    return reply;
}
