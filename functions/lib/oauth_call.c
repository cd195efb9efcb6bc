/*
 * OAuth client: calls, and what their answers mean.
 */
#include "lib/oauth_call.h"

#include <string.h>

#include "lib/meta.h"

enum {
    ANSWER_MAX = 1 << 20,
    ERROR_CODE_MAX = 64,
};

edge_reply *oauth_post(edge_ctx *ctx, const char *provider, const char *path, const char *form,
    const char *authorization, int64_t timeout_ms)
{
    const edge_header headers[] = { { "Accept", "application/json" },
        { authorization != NULL ? "Authorization" : NULL, authorization }, { 0 } };
    return edge_try_fetch(ctx, provider, .method = "POST", .path = path, .form = form, .headers = headers,
        .timeout_ms = timeout_ms, .max_bytes = ANSWER_MAX, .retries = -1);
}

edge_reply *oauth_get(
    edge_ctx *ctx, const char *provider, const char *path, const char *bearer, int64_t timeout_ms)
{
    const edge_header headers[] = { { "Accept", "application/json" }, { 0 } };
    return edge_try_fetch(ctx, provider, .path = path, .headers = headers, .bearer = bearer,
        .timeout_ms = timeout_ms, .max_bytes = ANSWER_MAX, .retries = EDGE_SEND_ONCE);
}

/* Only what a code may be made of: whatever a provider says beyond that is not for a log. */
static const char *plain_code(edge_ctx *ctx, const char *text)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
    return edge_copy_bytes(ctx, text, length < ERROR_CODE_MAX ? length : ERROR_CODE_MAX);
}

const char *oauth_error_code(edge_ctx *ctx, const edge_reply *reply)
{
    const char *error = edge_json_text(reply->json, "error");
    if (error != NULL)
        return plain_code(ctx, error);
    return meta_error_code(reply) != 0 ? edge_format(ctx, "%lld", (long long)meta_error_code(reply)) : "";
}

/* The provider refuses us, not the user. */
static bool refuses_client(edge_ctx *ctx, const edge_reply *reply)
{
    const char *error = oauth_error_code(ctx, reply);
    return strcmp(error, "invalid_client") == 0 || strcmp(error, "unauthorized_client") == 0 ||
           meta_error_code(reply) == META_BAD_APP;
}

static void log_refusal(
    edge_ctx *ctx, const struct service *service, const char *endpoint, const edge_reply *reply)
{
    bool ours = refuses_client(ctx, reply);
    edge_log(ctx, ours ? EDGE_LOG_ERROR : EDGE_LOG_WARN, ours ? "oauth_client_refused" : "oauth_call_failed",
        { "service", edge_text(service->name) }, { "endpoint", edge_text(endpoint) },
        { "status", edge_int(reply->status) }, { "error", edge_text(oauth_error_code(ctx, reply)) });
}

static struct connection_failure *failure_of(edge_ctx *ctx, int status, const char *code, const char *message)
{
    struct connection_failure *failure = edge_alloc(ctx, sizeof *failure);
    *failure = (struct connection_failure){ status, code, { .message = message } };
    return failure;
}

static const struct connection_failure *meaning(
    edge_ctx *ctx, const struct service *service, const edge_reply *reply)
{
    if (reply->failure == EDGE_HTTP_TIMEOUT)
        return failure_of(
            ctx, 504, "provider_timeout", edge_format(ctx, "%s did not answer in time", service->label));
    if (reply->failure == EDGE_HTTP_OK && reply->status == 429) {
        struct connection_failure *failure = failure_of(ctx, 429, "provider_rate_limited",
            edge_format(ctx, "%s is receiving too many requests", service->label));
        failure->said.retry_after_seconds = reply->retry_after_seconds;
        return failure;
    }
    return failure_of(ctx, 502, "provider_error",
        edge_format(ctx, "%s could not be reached or answered with an error", service->label));
}

const struct connection_failure *oauth_failure(
    edge_ctx *ctx, const struct service *service, const char *endpoint, const edge_reply *reply)
{
    bool answered = reply->failure == EDGE_HTTP_OK && reply->status >= 200 && reply->status < 300;
    if (answered && json_is_object(reply->json))
        return NULL;
    log_refusal(ctx, service, endpoint, reply);
    return meaning(ctx, service, reply);
}

const struct connection_failure *oauth_code_failure(
    edge_ctx *ctx, const struct service *service, const edge_reply *reply)
{
    const struct connection_failure *failure = oauth_failure(ctx, service, "token", reply);
    bool refused = reply->failure == EDGE_HTTP_OK &&
                   (reply->status == 400 || reply->status == 401 || reply->status == 403);
    if (failure == NULL || !refused || refuses_client(ctx, reply))
        return failure;
    struct connection_failure *rejected = failure_of(
        ctx, 422, "code_rejected", edge_format(ctx, "%s did not accept the sign-in", service->label));
    rejected->said.suggestion = edge_format(ctx, "Start connecting %s again", service->label);
    return rejected;
}

const struct connection_failure *oauth_unusable(
    edge_ctx *ctx, const struct service *service, const char *endpoint)
{
    edge_log(ctx, EDGE_LOG_WARN, "oauth_answer_unusable", { "service", edge_text(service->name) },
        { "endpoint", edge_text(endpoint) });
    return failure_of(
        ctx, 502, "provider_error", edge_format(ctx, "%s gave an unusable answer", service->label));
}

/* Meta answers 400 to nearly everything; which of its codes are about the token is in its list of errors. */
bool oauth_refuses_grant(edge_ctx *ctx, const struct service *service, const edge_reply *reply)
{
    if (reply->failure != EDGE_HTTP_OK || refuses_client(ctx, reply))
        return false;
    if (service->provider == SERVICE_META && meta_error_code(reply) != 0)
        return meta_error_code(reply) == META_BAD_TOKEN || meta_error_code(reply) == META_SESSION_OVER;
    return reply->status == 400 || reply->status == 401;
}
