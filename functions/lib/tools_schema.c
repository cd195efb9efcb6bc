/*
 * Tools as the gateway is told of them, and looking them up.
 */
#include "lib/tools.h"

#include <string.h>

enum {
    TIMEOUT_MS = 30000,
};

static json_t *type_schema(enum tool_type type)
{
    switch (type) {
    case TOOL_NUMBER:
        return json_pack("{s:s}", "type", "number");
    case TOOL_OBJECT:
        return json_pack("{s:s, s:b}", "type", "object", "additionalProperties", 1);
    case TOOL_TEXTS:
        return json_pack("{s:s, s:{s:s}}", "type", "array", "items", "type", "string");
    case TOOL_ROWS:
        return json_pack("{s:s, s:{s:s, s:{s:[ssss]}}}", "type", "array", "items", "type", "array", "items",
            "type", "string", "number", "boolean", "null");
    default:
        return json_pack("{s:s}", "type", "string");
    }
}

static json_t *parameter_schema(const struct tool_parameter *parameter)
{
    json_t *schema = type_schema(parameter->type);
    json_object_set_new(schema, "description", json_string(parameter->help));
    if (parameter->choices != NULL) {
        json_t *values = json_array();
        for (const char *const *choice = parameter->choices; *choice != NULL; choice++)
            json_array_append_new(values, json_string(*choice));
        json_object_set_new(schema, "enum", values);
    }
    if (parameter->max > 0) {
        json_object_set_new(schema, "minimum", json_integer(parameter->min));
        json_object_set_new(schema, "maximum", json_integer(parameter->max));
    }
    return schema;
}

static json_t *tool_json(const struct tool *tool)
{
    json_t *properties = json_object(), *required = json_array();
    for (const struct tool_parameter *parameter = tool->parameters; parameter->name != NULL; parameter++) {
        json_object_set_new(properties, parameter->name, parameter_schema(parameter));
        if (parameter->required)
            json_array_append_new(required, json_string(parameter->name));
    }
    return json_pack("{s:s, s:{s:s, s:s, s:{s:s, s:o, s:o, s:b}}}", "type", "function", "function", "name",
        tool->name, "description", tool->purpose, "parameters", "type", "object", "properties", properties,
        "required", required, "additionalProperties", 0);
}

json_t *tools_json(const struct toolset *set)
{
    json_t *tools = json_array();
    for (size_t i = 0; i < set->count; i++)
        json_array_append_new(tools, tool_json(&set->tools[i]));
    return tools;
}

const struct tool *tools_find(const struct toolset *set, const char *name)
{
    for (size_t i = 0; i < set->count; i++)
        if (strcmp(set->tools[i].name, name) == 0)
            return &set->tools[i];
    return NULL;
}

int64_t tools_timeout_ms(const struct tool *tool)
{
    return tool->timeout_ms > 0 ? tool->timeout_ms : TIMEOUT_MS;
}
