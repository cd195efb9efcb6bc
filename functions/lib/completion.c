/*
 * Answers of the AI gateway in one piece.
 */
#include "lib/completion.h"

#include <string.h>

#define WHITE_SPACE " \t\r\n\f\v"

const edge_shape completion_shape = {
    .success_false = true,
    .suggestion = "Try again in a moment, or describe what you want in other words",
};

const struct gateway_answer *completion_try(edge_ctx *ctx, const struct gateway_ask *ask)
{
    struct gateway_call *call = gateway_open(ctx, ask);
    while (gateway_next(call) != NULL)
        ;
    return gateway_answer(call);
}

const struct gateway_answer *completion_ask(edge_ctx *ctx, const struct gateway_ask *ask)
{
    const struct gateway_answer *answer = completion_try(ctx, ask);
    if (answer->failure != NULL)
        gateway_fail(ctx, answer->failure);
    return answer;
}

json_t *completion_messages(const char *system, const char *user)
{
    return json_pack(
        "[{s:s, s:s}, {s:s, s:s}]", "role", "system", "content", system, "role", "user", "content", user);
}

json_t *completion_forced_call(const char *name, const char *purpose, json_t *parameters)
{
    return json_pack("{s:[{s:s, s:{s:s, s:s, s:o}}], s:{s:s, s:{s:s}}}", "tools", "type", "function",
        "function", "name", name, "description", purpose, "parameters", parameters, "tool_choice", "type",
        "function", "function", "name", name);
}

const char *completion_trim(edge_ctx *ctx, const char *text)
{
    text += strspn(text, WHITE_SPACE);
    size_t length = strlen(text);
    while (length > 0 && strchr(WHITE_SPACE, text[length - 1]) != NULL)
        length--;
    return edge_copy_bytes(ctx, text, length);
}

/* What stands between ```, with or without a language behind it, and the closing ```. */
static const char *without_fence(edge_ctx *ctx, const char *text)
{
    text = completion_trim(ctx, text);
    size_t length = strlen(text);
    if (length < 6 || strncmp(text, "```", 3) != 0 || strcmp(text + length - 3, "```") != 0)
        return text;
    const char *inside = text + 3 + strspn(text + 3, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    return inside < text + length - 3 ? edge_copy_bytes(ctx, inside, (size_t)(text + length - 3 - inside)) : "";
}

json_t *completion_json(edge_ctx *ctx, const char *text)
{
    const char *bare = without_fence(ctx, text);
    return edge_json_parse(ctx, bare, strlen(bare));
}

json_t *completion_arguments(edge_ctx *ctx, const struct gateway_answer *answer)
{
    json_t *call = json_array_get(answer->tool_calls, 0);
    json_t *arguments = json_object_get(json_object_get(call, "function"), "arguments");
    if (json_is_string(arguments))
        arguments = completion_json(ctx, json_string_value(arguments));
    else if (call == NULL)
        arguments = completion_json(ctx, answer->content);
    return json_is_object(arguments) ? arguments : NULL;
}
