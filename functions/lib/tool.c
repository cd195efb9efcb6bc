/*
 * A tool's run: calls within its time, tokens renewed once, one answer for every failure.
 */
#include "lib/tool.h"

#include <string.h>

#include "lib/meta.h"
#include "lib/tool_failure.h"

enum {
    TOOL_MS = 25000, /* the agents' loop gives a tool 30 s */
    CALL_MS = 15000,
    CONNECT_MS = 5000,
    REPEAT_MS = 250,
};

const edge_shape tool_shape = {
    .success_false = true,
    .suggestion = "Check the request, and try again; if it stays like this, contact support.",
};

struct tool *tool_of(const struct connection *connection)
{
    edge_ctx *ctx = connection->ctx;
    const struct token *token = token_of(connection);
    if (token->failure != NULL)
        connection_fail(ctx, token->failure);
    struct tool *tool = edge_alloc(ctx, sizeof *tool);
    *tool = (struct tool){
        .ctx = ctx,
        .user = connection->user,
        .token = token,
        .label = connection->service->label,
    };
    return tool;
}

struct tool *tool_begin(edge_ctx *ctx, const char *service)
{
    return tool_of(connection_read(ctx, edge_auth_user(ctx), service));
}

json_t *tool_log(struct tool *tool, const struct tool_work *work)
{
    tool->action = action_begin(tool->ctx, &(const struct action_request){
                                               .user = tool->user,
                                               .type = work->type,
                                               .key = work->key,
                                               .fields = work->fields,
                                               .in = work->in,
                                               .summary = work->summary,
                                           });
    return tool->action->result;
}

int64_t tool_time_left(const struct tool *tool)
{
    int64_t left = TOOL_MS - (edge_now_exact() - edge_now(tool->ctx)) / 1000;
    return left > 0 ? left : 0;
}

/* Meta wants the app secret proved for the token that a call uses. */
static const char *proved_path(edge_ctx *ctx, const struct tool_call *call, const char *token)
{
    const char *proof = strcmp(call->provider, "meta_graph") == 0 ? meta_proof(ctx, token) : NULL;
    if (proof == NULL)
        return call->path;
    const char *joint = strchr(call->path, '?') != NULL ? "&" : "?";
    return edge_format(ctx, "%s%sappsecret_proof=%s", call->path, joint, proof);
}

/* One call; NULL when no time is left for it. What is not limited here is by the provider's own setting,
 * CALL_MS. */
static const edge_reply *send(struct tool *tool, const struct tool_call *call)
{
    int64_t left = tool_time_left(tool);
    const char *token = call->token != NULL ? call->token : tool->token->access_token;
    if (left == 0)
        return NULL;
    return edge_try_fetch(tool->ctx, call->provider, .method = call->method,
        .path = call->path != NULL ? proved_path(tool->ctx, call, token) : NULL, .url = call->url,
        .json = call->json, .body = call->body, .length = call->length, .content_type = call->content_type,
        .bearer = token, .headers = call->headers, .connect_timeout_ms = left < CONNECT_MS ? left : CONNECT_MS,
        .timeout_ms = left < CALL_MS ? left : 0, .retries = -1);
}

static bool is_worth_repeating(const edge_reply *reply)
{
    if (reply == NULL)
        return false;
    return reply->failure == EDGE_HTTP_UNREACHABLE ||
           (reply->failure == EDGE_HTTP_OK && reply->status >= 502 && reply->status <= 504);
}

static const edge_reply *send_patiently(struct tool *tool, const struct tool_call *call)
{
    const edge_reply *reply = send(tool, call);
    if (!call->reads || !is_worth_repeating(reply) || tool_time_left(tool) <= REPEAT_MS)
        return reply;
    edge_sleep(tool->ctx, REPEAT_MS);
    return send(tool, call);
}

/* Google and Microsoft answer 401 before they do anything, so a call may be made again with another token. */
static bool renews(const struct tool *tool)
{
    enum service_provider provider = tool->token->connection->service->provider;
    return provider == SERVICE_GOOGLE || provider == SERVICE_MICROSOFT;
}

static const struct tool_failure *failure_of_renewal(const struct tool *tool, const struct token *token)
{
    const struct connection_failure *failure = token->failure;
    struct tool_failure *copy = tool_failure_new(
        tool->ctx, failure->status, failure->code, failure->said.message, failure->said.suggestion);
    copy->said.retry_after_seconds = failure->said.retry_after_seconds;
    return copy;
}

struct tool_result tool_try_call_with(struct tool *tool, const struct tool_call *call)
{
    const edge_reply *reply = send_patiently(tool, call);
    if (reply != NULL && reply->status == 401 && renews(tool)) {
        const struct token *token = token_renew(tool->ctx, tool->token);
        if (token->failure != NULL)
            return (struct tool_result){ .failure = failure_of_renewal(tool, token), .reply = reply };
        tool->token = token;
        reply = send_patiently(tool, call);
    }
    return (struct tool_result){
        .failure = tool_failure_of(tool, call, reply),
        .reply = reply,
        .json = reply != NULL ? reply->json : NULL,
    };
}

void tool_fail(struct tool *tool, const struct tool_failure *failure)
{
    if (failure->refused)
        connection_break(tool->token->connection);
    if (tool->action != NULL)
        action_fail(tool->action, failure->code, failure->said.message, tool->url);

    edge_failure said = failure->said;
    json_t *extra = said.extra != NULL ? json_copy(said.extra) : json_object();
    if (tool->extra != NULL)
        json_object_update(extra, tool->extra);
    said.extra = extra;
    edge_fail_as(tool->ctx, failure->status, failure->code, &said);
}

void tool_refuse(struct tool *tool, int status, const char *code, const char *message, const char *suggestion)
{
    tool_fail(tool, tool_failure_new(tool->ctx, status, code, message, suggestion));
}

json_t *tool_call_with(struct tool *tool, const struct tool_call *call)
{
    struct tool_result result = tool_try_call_with(tool, call);
    if (result.failure != NULL)
        tool_fail(tool, result.failure);
    return result.json;
}

json_t *tool_answer(json_t *data)
{
    return json_pack("{s:b, s:o}", "success", 1, "data", data);
}

json_t *tool_succeed(struct tool *tool, json_t *data, const char *url)
{
    if (tool->action != NULL)
        action_succeed(tool->action, data, url);
    return tool_answer(data);
}
