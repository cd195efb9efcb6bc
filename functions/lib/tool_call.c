/*
 * Reading what a model asks for. What it passes is taken by the tool's table: the rest is dropped, and userId
 * above all, so that no text a model has read can make it act for somebody else.
 */
#include "lib/tool_call.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    NUMBER_DIGITS_MAX = 64,
};

static const char *trimmed(edge_ctx *ctx, const char *text)
{
    text += strspn(text, " \t\r\n");
    size_t length = strlen(text);
    while (length > 0 && strchr(" \t\r\n", text[length - 1]) != NULL)
        length--;
    return edge_copy_bytes(ctx, text, length);
}

/* A number as such, or written as text: models do both. NULL when it is none. */
static json_t *as_number(edge_ctx *ctx, json_t *value)
{
    if (json_is_number(value))
        return value;
    const char *text = json_is_string(value) ? trimmed(ctx, json_string_value(value)) : "";
    size_t length = strlen(text);
    if (length == 0 || length > NUMBER_DIGITS_MAX || strspn(text, "+-0123456789.eE") != length)
        return NULL;
    char *end;
    double number = strtod(text, &end);
    if (*end != '\0' || !isfinite(number))
        return NULL;
    bool whole = number == floor(number) && fabs(number) <= 9007199254740991.0;
    return whole ? json_integer((json_int_t)number) : json_real(number);
}

/* The table's spelling of a choice, NULL when the text is none of them. */
static json_t *as_choice(edge_ctx *ctx, const char *const *choices, json_t *value)
{
    const char *text = trimmed(ctx, json_string_value(value));
    for (; *choices != NULL; choices++)
        if (strcasecmp(*choices, text) == 0)
            return json_string(*choices);
    return NULL;
}

/* The value as the function gets it, NULL when it is of the wrong type. */
static json_t *as_declared(edge_ctx *ctx, const struct tool_parameter *parameter, json_t *value)
{
    switch (parameter->type) {
    case TOOL_NUMBER:
        return as_number(ctx, value);
    case TOOL_OBJECT:
        return json_is_object(value) ? value : NULL;
    case TOOL_TEXTS:
    case TOOL_ROWS:
        return json_is_array(value) ? value : NULL;
    default:
        if (!json_is_string(value))
            return NULL;
        return parameter->choices != NULL ? as_choice(ctx, parameter->choices, value) : value;
    }
}

/* null and blank texts say nothing. */
static bool is_absent(const json_t *value)
{
    if (value == NULL || json_is_null(value))
        return true;
    const char *text = json_string_value(value);
    return text != NULL && text[strspn(text, " \t\r\n")] == '\0';
}

/* Keeps what the tool declares; the first missing parameter goes before the first wrong one. */
static void take_declared(edge_ctx *ctx, struct tool_call *call, json_t *passed)
{
    const char *missing = NULL, *wrong = NULL;
    for (const struct tool_parameter *parameter = call->tool->parameters; parameter->name != NULL;
         parameter++) {
        json_t *value = json_object_get(passed, parameter->name);
        if (is_absent(value)) {
            if (parameter->required && missing == NULL)
                missing = parameter->name;
            continue;
        }
        json_t *taken = as_declared(ctx, parameter, value);
        if (taken == NULL && wrong == NULL)
            wrong = parameter->name;
        json_object_set(call->args, parameter->name, taken != NULL ? taken : value);
    }
    if (missing != NULL)
        tool_call_fail(ctx, call, edge_format(ctx, "Missing required parameter: %s", missing), NULL);
    else if (wrong != NULL)
        tool_call_fail(ctx, call, edge_format(ctx, "Invalid parameter: %s", wrong), NULL);
}

static json_t *parse_arguments(edge_ctx *ctx, struct tool_call *call, json_t *arguments)
{
    if (json_is_object(arguments)) /* some gateways send it parsed */
        return arguments;
    const char *text = json_string_value(arguments);
    if (text == NULL || text[0] == '\0')
        return json_object();
    /* U+0000 has no place in PostgreSQL: neither the audit trail nor the conversation could keep it. */
    json_t *passed = strstr(text, "\\u0000") == NULL ? edge_json_parse(ctx, text, strlen(text)) : NULL;
    if (json_is_object(passed))
        return passed;
    call->unparsable = text;
    return NULL;
}

static bool is_withheld(const struct tool *tool, const edge_rows *permissions)
{
    for (size_t i = 0; tool->permission != NULL && i < edge_rows_count(permissions); i++)
        if (strcmp(edge_rows_text(permissions, i, "permission"), tool->permission) == 0)
            return true;
    return false;
}

void tool_call_read(edge_ctx *ctx, struct tool_call *call, const struct toolset *set, json_t *asked,
    const edge_rows *permissions)
{
    json_t *function = json_object_get(asked, "function");
    const char *name = edge_json_text(function, "name");
    *call = (struct tool_call){
        .id = edge_json_text(asked, "id"),
        .name = name != NULL ? name : "",
        .args = json_object(),
    };
    call->tool = tools_find(set, call->name);

    json_t *passed = parse_arguments(ctx, call, json_object_get(function, "arguments"));
    if (call->tool == NULL) {
        json_object_update(call->args, passed);
        json_object_del(call->args, "userId");
        tool_call_fail(ctx, call, edge_format(ctx, "Unknown tool: %s", call->name), NULL);
    } else if (passed == NULL) {
        tool_call_fail(ctx, call, "Invalid tool arguments", NULL);
    } else {
        take_declared(ctx, call, passed);
        if (call->error == NULL && is_withheld(call->tool, permissions))
            tool_call_fail(ctx, call, edge_format(ctx, "No permission: %s", call->tool->permission), NULL);
    }
}
