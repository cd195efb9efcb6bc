/*
 * What the chat stand-in refuses, as OpenAI does: messages and tools that do not fit together, and settings out
 * of their range.
 */
#include "lib/sandbox_openai.h"

#include <string.h>

/* A refusal in the making: which member, and what is wrong with it. */
struct flaw {
    edge_ctx *ctx;
    const char *param, *message;
};

static bool is(json_t *object, const char *key, const char *value)
{
    const char *actual = edge_json_text(object, key);
    return actual != NULL && strcmp(actual, value) == 0;
}

/* Ids that the assistant's message before has asked for, each to be answered before anything else is said. */
static bool answers_calls(struct flaw *flaw, json_t *messages, size_t at)
{
    json_t *calls = json_object_get(json_array_get(messages, at), "tool_calls"), *call;
    size_t i;
    json_array_foreach(calls, i, call)
    {
        json_t *answer = json_array_get(messages, at + 1 + i);
        const char *id = edge_json_text(call, "id");
        if (id == NULL || !is(answer, "role", "tool") || !is(answer, "tool_call_id", id)) {
            flaw->param = edge_format(flaw->ctx, "messages.[%zu].role", at + 1 + i);
            flaw->message =
                "An assistant message with 'tool_calls' must be followed by tool messages responding "
                "to each 'tool_call_id'.";
            return false;
        }
    }
    return true;
}

static bool follows_calls(json_t *messages, size_t at)
{
    while (at > 0 && is(json_array_get(messages, at - 1), "role", "tool"))
        at--;
    return at > 0 && json_array_size(json_object_get(json_array_get(messages, at - 1), "tool_calls")) > 0;
}

static bool is_message(struct flaw *flaw, json_t *messages, size_t at)
{
    static const char *const roles[] = { "system", "user", "assistant", "tool", NULL };
    json_t *message = json_array_get(messages, at);
    const json_t *content = json_object_get(message, "content");
    bool has_calls = json_array_size(json_object_get(message, "tool_calls")) > 0;
    if (!sandbox_openai_is_model(roles, edge_json_text(message, "role")) ||
        (!json_is_string(content) && !json_is_array(content) && !has_calls)) {
        flaw->param = edge_format(flaw->ctx, "messages.[%zu]", at);
        flaw->message = edge_format(flaw->ctx, "Invalid value for 'messages[%zu]'", at);
        return false;
    }
    if (is(message, "role", "tool") && !follows_calls(messages, at)) {
        flaw->param = edge_format(flaw->ctx, "messages.[%zu].role", at);
        flaw->message =
            "messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.";
        return false;
    }
    return answers_calls(flaw, messages, at);
}

static bool is_tool(json_t *tool)
{
    json_t *function = json_object_get(tool, "function");
    const char *name = edge_json_text(function, "name");
    size_t length = name != NULL ? strlen(name) : 0;
    return is(tool, "type", "function") && length > 0 && length <= 64 &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == length &&
           is(json_object_get(function, "parameters"), "type", "object");
}

static bool are_tools(struct flaw *flaw, json_t *request)
{
    json_t *tools = json_object_get(request, "tools"), *tool;
    if (tools == NULL && json_object_get(request, "tool_choice") != NULL) {
        flaw->param = "tool_choice";
        flaw->message = "'tool_choice' is only allowed when 'tools' are specified.";
        return false;
    }
    size_t i;
    json_array_foreach(tools, i, tool) if (!is_tool(tool))
    {
        flaw->param = edge_format(flaw->ctx, "tools[%zu]", i);
        flaw->message = "Invalid tool";
        return false;
    }
    if (tools != NULL && json_array_size(tools) == 0) {
        flaw->param = "tools";
        flaw->message = "[] is too short - 'tools'";
        return false;
    }
    return true;
}

static bool is_between(struct flaw *flaw, json_t *request, const char *key, double min, double max)
{
    json_t *value = json_object_get(request, key);
    double number = json_number_value(value);
    if (value == NULL || (json_is_number(value) && number >= min && number <= max))
        return true;
    flaw->param = key;
    flaw->message = edge_format(flaw->ctx, "Invalid value for '%s'", key);
    return false;
}

static bool is_format(struct flaw *flaw, json_t *request)
{
    static const char *const types[] = { "text", "json_object", "json_schema", NULL };
    json_t *format = json_object_get(request, "response_format");
    json_t *schema = json_object_get(format, "json_schema");
    bool named = edge_json_text(schema, "name") != NULL;
    if (format == NULL || (sandbox_openai_is_model(types, edge_json_text(format, "type")) &&
                              (!is(format, "type", "json_schema") || named)))
        return true;
    flaw->param = "response_format";
    flaw->message = "Invalid response_format";
    return false;
}

static bool is_question(struct flaw *flaw, const struct sandbox_openai *service, json_t *request)
{
    const char *model = edge_json_text(request, "model");
    if (!sandbox_openai_is_model(service->chat_models, model)) {
        flaw->param = "model";
        flaw->message = "The model does not exist";
        return false;
    }
    json_t *messages = json_object_get(request, "messages");
    if (json_array_size(messages) == 0) {
        flaw->param = "messages";
        flaw->message = "Invalid 'messages': empty array. Expected an array with minimum length 1";
        return false;
    }
    for (size_t i = 0; i < json_array_size(messages); i++)
        if (!is_message(flaw, messages, i))
            return false;
    return are_tools(flaw, request) && is_format(flaw, request) &&
           is_between(flaw, request, "temperature", 0, 2) &&
           is_between(flaw, request, "max_tokens", 1, 1000000);
}

json_t *sandbox_chat_check(edge_ctx *ctx, const struct sandbox_openai *service, json_t *request)
{
    struct flaw flaw = { .ctx = ctx };
    if (!json_is_object(request))
        return sandbox_openai_refuse(
            ctx, 400, "invalid_request_error", NULL, "We could not parse the JSON body of your request.");
    if (is_question(&flaw, service, request))
        return NULL;
    return sandbox_openai_refuse(ctx, 400, "invalid_request_error", flaw.param, flaw.message);
}
