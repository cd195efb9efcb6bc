/*
 * agent_tool: a tool for chat agents that does what a text among its arguments says in JSON: {"how", "ms",
 * "answer", "status"}. Without one it answers with what it was given and by whom it was called.
 */
#include <edge/edge.h>

#include <stdlib.h>
#include <string.h>

static json_t *instructions(edge_ctx *ctx, json_t *in)
{
    const char *key;
    json_t *value;
    json_object_foreach(in, key, value)
    {
        const char *text = json_string_value(value);
        json_t *parsed = text != NULL && text[0] == '{' ? edge_json_parse(ctx, text, strlen(text)) : NULL;
        if (json_is_object(parsed))
            return parsed;
    }
    return json_object();
}

static json_t *agent_tool(edge_ctx *ctx, json_t *in)
{
    json_t *told = instructions(ctx, in);
    const char *how = edge_json_text(told, "how");
    json_t *answer = json_object_get(told, "answer");
    int64_t began = edge_now_exact();
    if (edge_json_int(told, "ms", 0) > 0)
        edge_sleep(ctx, edge_json_int(told, "ms", 0));
    if (how != NULL && strcmp(how, "crash") == 0)
        abort();
    if (how != NULL && strcmp(how, "fail") == 0)
        edge_fail(
            ctx, (int)edge_json_int(told, "status", 409), "asked_for", "%s", edge_json_text(told, "error"));
    if (how != NULL && strcmp(how, "spill") == 0)
        edge_alloc(ctx, (size_t)1 << 30);
    if (answer != NULL) {
        edge_response_status(ctx, (int)edge_json_int(told, "status", 200));
        return answer;
    }
    return json_pack("{s:b, s:{s:O, s:s, s:s?, s:I, s:I}}", "success", 1, "data", "in", in, "user",
        edge_auth_user(ctx), "key", edge_request_header(ctx, "idempotency-key"), "began", (json_int_t)began,
        "ended", (json_int_t)edge_now_exact());
}

static const edge_field input[] = { { "userId", EDGE_USER, .help = "Nobody else" }, { 0 } };

EDGE_FUNCTION(agent_tool, .summary = "Does what its arguments say", .input = input, .handle = agent_tool);
