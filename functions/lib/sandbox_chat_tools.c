/*
 * When the chat stand-in asks for tools: when it was ordered to, when one function is forced, or when the
 * user's message says [[tool:name {json}]].
 */
#include "lib/sandbox_openai.h"

#include <string.h>

static json_t *last_message(json_t *request)
{
    json_t *messages = json_object_get(request, "messages");
    return json_array_get(messages, json_array_size(messages) - 1);
}

static json_t *offered(json_t *request, const char *name)
{
    size_t i;
    json_t *tool;
    json_array_foreach(json_object_get(request, "tools"), i, tool)
    {
        json_t *function = json_object_get(tool, "function");
        const char *known = edge_json_text(function, "name");
        if (known != NULL && strcmp(known, name) == 0)
            return function;
    }
    return NULL;
}

static void add_call(json_t *calls, const char *id, const char *name, const char *arguments)
{
    json_t *call = json_pack("{s:o, s:s, s:{s:s, s:s}}", "id",
        id != NULL ? json_string(id) : json_sprintf("call_%zu_%s", json_array_size(calls) + 1, name), "type",
        "function", "function", "name", name, "arguments", arguments);
    json_array_append_new(calls, call);
}

static json_t *ordered_calls(edge_ctx *ctx, json_t *ordered)
{
    json_t *calls = json_array(), *call;
    size_t i;
    json_array_foreach(ordered, i, call)
    {
        json_t *arguments = json_object_get(call, "arguments");
        const char *text = json_string_value(arguments);
        if (text == NULL)
            text = arguments != NULL ? edge_json_dump(ctx, arguments, NULL) : "{}";
        add_call(calls, edge_json_text(call, "id"), edge_json_text(call, "name"), text);
    }
    return calls;
}

/* Any value that fits a property's schema. */
static json_t *sample(json_t *schema, const char *name)
{
    const char *type = edge_json_text(schema, "type");
    json_t *choices = json_object_get(schema, "enum");
    if (json_array_size(choices) > 0)
        return json_incref(json_array_get(choices, 0));
    if (type != NULL && strcmp(type, "array") == 0)
        return json_pack("[o]", sample(json_object_get(schema, "items"), name));
    if (type != NULL && strcmp(type, "object") == 0)
        return json_object();
    if (type != NULL && (strcmp(type, "number") == 0 || strcmp(type, "integer") == 0))
        return json_integer(1);
    return json_sprintf("The sandbox's %s", name);
}

static json_t *forced_call(edge_ctx *ctx, json_t *request)
{
    const char *name = edge_json_text(edge_json_path(request, "tool_choice.function"), "name");
    json_t *function = name != NULL ? offered(request, name) : NULL;
    if (function == NULL)
        return NULL;
    json_t *arguments = json_object(), *schema, *calls = json_array();
    const char *property;
    json_object_foreach(edge_json_path(function, "parameters.properties"), property, schema)
        json_object_set_new(arguments, property, sample(schema, property));
    add_call(calls, NULL, name, edge_json_dump(ctx, arguments, NULL));
    return calls;
}

/* All [[tool:name {json}]] of the last message, if it is the user's and tools may be used. */
static json_t *written_calls(edge_ctx *ctx, json_t *request)
{
    const char *choice = edge_json_text(request, "tool_choice"),
               *role = edge_json_text(last_message(request), "role");
    const char *at = edge_json_text(last_message(request), "content");
    if (at == NULL || strcmp(role, "user") != 0 || (choice != NULL && strcmp(choice, "none") == 0))
        return NULL;

    json_t *calls = json_array();
    while ((at = strstr(at, "[[tool:")) != NULL) {
        at += 7;
        const char *end = strstr(at, "]]");
        size_t length = strcspn(at, " ]");
        if (end == NULL)
            break;
        const char *name = edge_copy_bytes(ctx, at, length);
        const char *arguments =
            at[length] == ' ' ? edge_copy_bytes(ctx, at + length + 1, (size_t)(end - at) - length - 1) : "{}";
        if (offered(request, name) != NULL)
            add_call(calls, NULL, name, arguments);
        at = end;
    }
    return json_array_size(calls) > 0 ? calls : NULL;
}

json_t *sandbox_chat_tool_calls(edge_ctx *ctx, json_t *order, json_t *request)
{
    json_t *ordered = json_object_get(order, "toolCalls");
    if (json_array_size(ordered) > 0)
        return ordered_calls(ctx, ordered);
    if (json_object_get(order, "content") != NULL || json_object_get(order, "tokens") != NULL)
        return NULL;
    json_t *forced = forced_call(ctx, request);
    return forced != NULL ? forced : written_calls(ctx, request);
}
