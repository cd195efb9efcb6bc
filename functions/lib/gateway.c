/*
 * The AI gateway: asking, and telling its failures apart. Reading the answer is gateway_read.c.
 */
#include "lib/gateway.h"

#include "lib/gateway_call.h"
#include "lib/text.h"

#include <string.h>

#define PROVIDER "lovable_ai"

enum {
    TOTAL_MS = 90000,
};

/* The front end looks for "Rate limit" and "429", and for "credits", in the texts (ai.md S1). */
static const struct gateway_failure rate_limited = { 429, "provider_rate_limited",
    { .message = "Rate limit of the AI provider reached (429), try again in a moment" } };
static const struct gateway_failure out_of_credits = { 402, "out_of_credits",
    { .message = "The AI provider's account is out of credits" } };
static const struct gateway_failure rejected = { 422, "provider_rejected",
    { .message = "The AI provider rejected this request" } };
static const struct gateway_failure failed = { 502, "provider_error",
    { .message = "The AI provider failed to answer" } };
static const struct gateway_failure unreachable = { 502, "provider_unreachable",
    { .message = "The AI provider has been failing and is not asked for a moment" } };
static const struct gateway_failure timed_out = { 504, "provider_timeout",
    { .message = "The AI provider did not answer in time" } };
const struct gateway_failure gateway_unusable = { 502, "bad_provider_output",
    { .message = "The AI provider's answer could not be used" } };

void gateway_require_key(edge_ctx *ctx)
{
    edge_env_required(ctx, "LOVABLE_API_KEY");
}

void gateway_fail(edge_ctx *ctx, const struct gateway_failure *failure)
{
    edge_fail_as(ctx, failure->status, failure->code, &failure->said);
}

static const struct gateway_failure *failure_of_status(int status)
{
    switch (status) {
    case 429:
        return &rate_limited;
    case 402:
        return &out_of_credits;
    case 400:
    case 413:
    case 422:
        return &rejected;
    default:
        return &failed;
    }
}

static const struct gateway_failure *failure_of_reply(const edge_reply *reply)
{
    switch (reply->failure) {
    case EDGE_HTTP_TIMEOUT:
        return &timed_out;
    case EDGE_HTTP_BREAKER_OPEN:
        return &unreachable;
    case EDGE_HTTP_OK:
        return failure_of_status(reply->status);
    default:
        return &failed;
    }
}

const struct gateway_failure *gateway_reply_failure(edge_ctx *ctx, const edge_reply *reply)
{
    if (reply->failure == EDGE_HTTP_OK && reply->status >= 200 && reply->status <= 299)
        return NULL;
    struct gateway_failure *failure = edge_alloc(ctx, sizeof *failure);
    *failure = *failure_of_reply(reply);
    failure->said.retry_after_seconds = reply->retry_after_seconds;
    edge_log(ctx, EDGE_LOG_WARN, "gateway_failed", { "code", edge_text(failure->code) },
        { "status", edge_int(reply->status) },
        { "detail", edge_text(reply->body != NULL ? text_cut(ctx, reply->body, 500) : reply->message) });
    return failure;
}

/* Keeps the failure for the caller; the provider's own words go to the log and never to the client. */
static void note_failure(struct gateway_call *call, const struct gateway_failure *failure, const char *words)
{
    edge_log(call->ctx, EDGE_LOG_WARN, "gateway_failed", { "code", edge_text(failure->code) },
        { "status", edge_int(call->reply->status) },
        { "detail", edge_text(words != NULL ? text_cut(call->ctx, words, 500) : NULL) });

    struct gateway_failure *kept = edge_alloc(call->ctx, sizeof *kept);
    *kept = *failure;
    kept->said.retry_after_seconds = call->reply->retry_after_seconds;
    call->answer.failure = kept;
}

void gateway_note_unusable(struct gateway_call *call, const char *why)
{
    note_failure(call, &gateway_unusable, why);
}

void gateway_note_broken(struct gateway_call *call)
{
    if (call->reply->failure == EDGE_HTTP_CLIENT_GONE)
        call->answer.left = true;
    else if (call->reply->failure != EDGE_HTTP_OK)
        note_failure(call, failure_of_reply(call->reply), call->reply->message);
    else
        note_failure(call, &failed, "the stream ended before the answer did");
}

void gateway_note_error(struct gateway_call *call, json_t *error)
{
    int status = (int)edge_json_int(error, "code", 0);
    note_failure(call, failure_of_status(status), edge_json_text(error, "message"));
}

/*
 * A question changes nothing, so the SDK may repeat it once when the connection broke before a byte came back.
 * The limits within the 90 s are the provider's in functions.toml.
 */
static edge_reply *send(edge_ctx *ctx, json_t *body, const struct gateway_ask *ask)
{
    return edge_fetch_stream(ctx, PROVIDER, .method = "POST", .path = "/v1/chat/completions", .json_new = body,
        .timeout_ms = ask->timeout_ms > 0 ? ask->timeout_ms : TOTAL_MS, .retries = -1, .repeatable = !ask->once,
        .until_client_leaves = ask->stream);
}

static json_t *request_body(const struct gateway_ask *ask, const char *model)
{
    json_t *body = json_pack("{s:s, s:o}", "model", model, "messages", ask->messages);
    if (ask->tools != NULL)
        json_object_set(body, "tools", ask->tools);
    if (ask->tool_choice != NULL)
        json_object_set_new(body, "tool_choice", json_string(ask->tool_choice));
    if (ask->stream)
        json_object_set_new(body, "stream", json_true());
    if (ask->settings != NULL)
        json_object_update(body, (json_t *)ask->settings);
    return body;
}

struct gateway_call *gateway_open(edge_ctx *ctx, const struct gateway_ask *ask)
{
    struct gateway_call *call = edge_alloc(ctx, sizeof *call);
    call->ctx = ctx;
    call->content.ctx = ctx;
    call->answer.model = ask->model != NULL ? ask->model : GATEWAY_TEXT_MODEL;
    call->reply = send(ctx, request_body(ask, call->answer.model), ask);

    if (call->reply->failure != EDGE_HTTP_OK) {
        gateway_note_broken(call);
        return call;
    }
    if (call->reply->status < 200 || call->reply->status > 299) {
        edge_reply_finish(ctx, call->reply);
        const char *words = edge_json_text(edge_json_path(call->reply->json, "error"), "message");
        note_failure(call, failure_of_status(call->reply->status), words);
        return call;
    }

    const char *type = edge_reply_header(ctx, call->reply, "content-type");
    call->streaming = type != NULL && strncasecmp(type, "text/event-stream", 17) == 0;
    return call;
}
