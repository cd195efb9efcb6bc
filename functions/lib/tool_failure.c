/*
 * Failures of providers: the first kind that fits an answer decides. Meta's own code says more than its status,
 * which is 400 for nearly everything (https://developers.facebook.com/docs/graph-api/guides/error-handling), so
 * it is asked first.
 */
#include "lib/tool_failure.h"

#include <ctype.h>
#include <string.h>

#include "lib/text.h"

enum {
    MESSAGE_MAX = 300, /* code points of the provider's own words */
};

enum kind {
    KIND_NONE,
    KIND_TIMEOUT,
    KIND_UNREACHABLE,
    KIND_BAD_RESPONSE,
    KIND_RECONNECT,
    KIND_RATE,
    KIND_PUBLISH_LIMIT,
    KIND_PERMISSION,
    KIND_DUPLICATE,
    KIND_NOT_FOUND,
    KIND_ERROR,
    KIND_REJECTED,
};

static const struct answer {
    int status;
    const char *code, *suggestion; /* %s: the service's name */
} answers[] = {
    [KIND_TIMEOUT] = { 504, "provider_timeout", "Try again; look at %s first, it may have worked." },
    [KIND_UNREACHABLE] = { 502, "provider_unreachable", "%s cannot be reached, try again in a few minutes." },
    [KIND_BAD_RESPONSE] = { 502, "provider_bad_response", "Look at %s whether it has worked, else try again." },
    [KIND_RECONNECT] = { 409, "reconnect_required", "Reconnect %s in Settings > Integrations." },
    [KIND_RATE] = { 429, "provider_rate_limited",
        "%s takes no more calls just now, try again a little later." },
    [KIND_PUBLISH_LIMIT] = { 429, "publish_limit_reached",
        "%s takes only so many posts a day, try again tomorrow." },
    [KIND_PERMISSION] = { 403, "provider_permission_denied",
        "Reconnect %s in Settings > Integrations and grant everything that is asked for." },
    [KIND_DUPLICATE] = { 409, "duplicate_post", "%s has this post already, change its text." },
    [KIND_NOT_FOUND] = { 404, "provider_not_found", "Check that it exists and your %s account may see it." },
    [KIND_ERROR] = { 502, "provider_error", "%s has a problem of its own, try again in a few minutes." },
    [KIND_REJECTED] = { 422, "provider_rejected", "Change what %s objects to and try again." },
};

static bool is_one_of(int64_t code, const int64_t *codes)
{
    for (; *codes != 0; codes++)
        if (*codes == code)
            return true;
    return false;
}

static bool is_meta(const struct tool_call *call)
{
    return strcmp(call->provider, "meta_graph") == 0;
}

static bool is_linkedin(const struct tool_call *call)
{
    return strncmp(call->provider, "linkedin", 8) == 0;
}

static bool is_google(const struct tool_call *call)
{
    return strncmp(call->provider, "google", 6) == 0 || strcmp(call->provider, "gmail") == 0;
}

static enum kind kind_of_meta(const json_t *error)
{
    static const int64_t reconnect[] = { 102, 190, 0 }, rate[] = { 4, 17, 32, 341, 613, 0 };
    static const int64_t passing[] = { 1, 2, -1, -2, 0 };
    int64_t code = edge_json_int(error, "code", 0);
    if (is_one_of(code, reconnect))
        return KIND_RECONNECT;
    if (is_one_of(code, rate))
        return KIND_RATE;
    if (code == 9)
        return KIND_PUBLISH_LIMIT;
    if (code == 3 || code == 10 || (code >= 200 && code <= 299))
        return KIND_PERMISSION;
    if (code == 506)
        return KIND_DUPLICATE;
    return is_one_of(code, passing) || edge_json_bool(error, "is_transient", false) ? KIND_ERROR : KIND_NONE;
}

/* Quotas come as 403 with a reason (https://developers.google.com/workspace/drive/api/guides/handle-errors). */
static bool is_google_quota(const json_t *error)
{
    static const char *const reasons[] = { "rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded",
        "dailyLimitExceeded" };
    const char *reason = edge_json_text(json_array_get(json_object_get(error, "errors"), 0), "reason");
    for (size_t i = 0; reason != NULL && i < sizeof reasons / sizeof *reasons; i++)
        if (strcmp(reasons[i], reason) == 0)
            return true;
    return false;
}

static bool says_duplicate(const edge_reply *reply)
{
    static const char word[] = "duplicate";
    for (const char *at = edge_json_text(reply->json, "message"); at != NULL && *at != '\0'; at++)
        if (strncasecmp(at, word, sizeof word - 1) == 0)
            return true;
    return false;
}

static enum kind kind_of_status(const struct tool_call *call, const edge_reply *reply)
{
    const json_t *error = json_object_get(reply->json, "error");
    int status = reply->status;
    if (status == 401)
        return KIND_RECONNECT;
    if (status == 429 || (status == 403 && is_google(call) && is_google_quota(error)))
        return KIND_RATE;
    if (status == 403)
        return KIND_PERMISSION;
    if (is_linkedin(call) && (status == 409 || (status == 422 && says_duplicate(reply))))
        return KIND_DUPLICATE;
    if (status == 404)
        return KIND_NOT_FOUND;
    return status >= 500 ? KIND_ERROR : status >= 400 ? KIND_REJECTED : KIND_BAD_RESPONSE;
}

static bool is_complete(const struct tool_call *call, const edge_reply *reply)
{
    if (call->any_answer)
        return true;
    const char *id = call->id != NULL ? edge_json_text(reply->json, call->id) : "-";
    return json_is_object(reply->json) && id != NULL && id[0] != '\0';
}

static enum kind kind_of(const struct tool_call *call, const edge_reply *reply)
{
    if (reply == NULL || reply->failure == EDGE_HTTP_TIMEOUT)
        return KIND_TIMEOUT;
    if (reply->failure == EDGE_HTTP_TOO_LARGE)
        return KIND_BAD_RESPONSE;
    if (reply->failure != EDGE_HTTP_OK)
        return KIND_UNREACHABLE;
    if (reply->status >= 200 && reply->status <= 299)
        return is_complete(call, reply) ? KIND_NONE : KIND_BAD_RESPONSE;
    enum kind kind = is_meta(call) ? kind_of_meta(json_object_get(reply->json, "error")) : KIND_NONE;
    return kind != KIND_NONE ? kind : kind_of_status(call, reply);
}

/* The provider's words: without control characters, without the token that it may repeat, cut. */
static const char *cleaned(const struct tool *tool, const char *token, const char *message)
{
    edge_ctx *ctx = tool->ctx;
    struct text clean = { .ctx = ctx };
    size_t length = strlen(token);
    for (const char *at = message; *at != '\0'; at++) {
        if (length > 0 && strncmp(at, token, length) == 0) {
            text_add(&clean, "***");
            at += length - 1;
        } else if ((unsigned char)*at >= 0x20 && *at != 0x7f) {
            text_add_bytes(&clean, at, 1);
        }
    }
    return text_cut(ctx, text_value(&clean), MESSAGE_MAX);
}

static bool was_answered(const edge_reply *reply)
{
    return reply != NULL && reply->failure == EDGE_HTTP_OK;
}

static const char *message_of(const edge_reply *reply)
{
    const char *nested = edge_json_text(json_object_get(reply->json, "error"), "message");
    return nested != NULL ? nested : edge_json_text(reply->json, "message");
}

static const char *sentence(
    const struct tool *tool, const struct tool_call *call, const edge_reply *reply, enum kind kind)
{
    edge_ctx *ctx = tool->ctx;
    const char *said = was_answered(reply) ? message_of(reply) : NULL;
    if (said != NULL && said[0] != '\0') {
        const char *token = call->token != NULL ? call->token : tool->token->access_token;
        return edge_format(ctx, "%s failed: %s", call->what, cleaned(tool, token, said));
    }
    if (kind == KIND_TIMEOUT)
        return edge_format(ctx, "%s took too long", call->what);
    if (kind == KIND_UNREACHABLE)
        return edge_format(ctx, "%s failed: %s cannot be reached", call->what, tool->label);
    if (reply->status < 200 || reply->status > 299)
        return edge_format(ctx, "%s failed: HTTP status %d", call->what, reply->status);
    return edge_format(ctx, "%s failed: the answer cannot be understood", call->what);
}

/* Google names its codes in "status", Microsoft and Meta in "code", LinkedIn beside the message. */
static json_t *provider_code(const struct tool_call *call, const edge_reply *reply)
{
    json_t *error = json_object_get(reply->json, "error");
    json_t *code = is_google(call)     ? json_object_get(error, "status")
                   : is_linkedin(call) ? json_object_get(reply->json, "serviceErrorCode")
                                       : json_object_get(error, "code");
    return json_is_string(code) || json_is_integer(code) ? code : NULL;
}

static json_t *provider_members(const struct tool_call *call, const edge_reply *reply)
{
    json_t *members = json_object();
    if (!was_answered(reply))
        return members;
    json_object_set_new(members, "providerStatus", json_integer(reply->status));
    json_t *code = provider_code(call, reply);
    if (code != NULL)
        json_object_set(members, "providerCode", code);
    return members;
}

struct tool_failure *tool_failure_new(
    edge_ctx *ctx, int status, const char *code, const char *message, const char *suggestion)
{
    struct tool_failure *failure = edge_alloc(ctx, sizeof *failure);
    *failure = (struct tool_failure){
        .status = status,
        .code = code,
        .said = { .message = message, .suggestion = suggestion },
    };
    return failure;
}

static const char *suggestion_of(const struct tool *tool, enum kind kind)
{
    struct text text = { .ctx = tool->ctx };
    const char *words = answers[kind].suggestion, *gap = strstr(words, "%s");
    text_add_bytes(&text, words, (size_t)(gap - words));
    text_add(&text, tool->label);
    text_add(&text, gap + 2);
    return text_value(&text);
}

static struct tool_failure *failure_of_kind(const struct tool *tool, enum kind kind, const char *message)
{
    const struct answer *answer = &answers[kind];
    struct tool_failure *failure =
        tool_failure_new(tool->ctx, answer->status, answer->code, message, suggestion_of(tool, kind));
    failure->refused = kind == KIND_RECONNECT;
    return failure;
}

struct tool_failure *tool_failure_reconnect(const struct tool *tool, const char *message)
{
    return failure_of_kind(tool, KIND_RECONNECT, message);
}

const struct tool_failure *tool_failure_of(
    const struct tool *tool, const struct tool_call *call, const edge_reply *reply)
{
    enum kind kind = kind_of(call, reply);
    if (kind == KIND_NONE)
        return NULL;
    struct tool_failure *failure = failure_of_kind(tool, kind, sentence(tool, call, reply, kind));
    failure->said.extra = provider_members(call, reply);
    if (failure->status == 429)
        failure->said.retry_after_seconds = reply->retry_after_seconds;
    return failure;
}
