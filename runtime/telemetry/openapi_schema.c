/*
 * Input and output tables as JSON Schema.
 *
 * null counts as absent for a field that may be absent, so its schema takes null. That limits of strings count
 * without the white space around them is said in words: JSON Schema cannot.
 */
#include "openapi.h"

#include <math.h>
#include <string.h>

static json_t *field_schema(const edge_field *field, enum openapi_use use);

static json_t *number(double value)
{
    return value == floor(value) && fabs(value) < 9007199254740992.0 ? json_integer((json_int_t)value)
                                                                     : json_real(value);
}

static void set_limits(json_t *schema, const edge_field *field, const char *least, const char *most)
{
    if (field->min == 0 && field->max == 0)
        return;
    json_object_set_new(schema, least, number(field->min));
    json_object_set_new(schema, most, number(field->max));
}

static void set_text(json_t *schema, const char *key, const char *text)
{
    if (text != NULL)
        json_object_set_new(schema, key, json_string(text));
}

static const char *type_of(edge_type type)
{
    switch (type) {
    case EDGE_INT:
        return "integer";
    case EDGE_NUMBER:
        return "number";
    case EDGE_ID:
        return "integer";
    case EDGE_BOOL:
        return "boolean";
    case EDGE_OBJECT:
    case EDGE_MAP:
        return "object";
    case EDGE_ARRAY:
        return "array";
    case EDGE_JSON:
        return NULL;
    default:
        return "string";
    }
}

static const char *format_of(edge_type type)
{
    switch (type) {
    case EDGE_UUID:
        return "uuid";
    case EDGE_EMAIL:
        return "email";
    case EDGE_URL:
        return "uri";
    case EDGE_DATE:
    case EDGE_DAY:
        return "date";
    case EDGE_DATETIME:
        return "date-time";
    default:
        return NULL;
    }
}

/* A member may, unless it is required; an item of an array, which item_schema leaves without a name, may not.
 */
static bool may_be_null(const edge_field *field)
{
    return !field->required && field->name != NULL;
}

static void set_type(json_t *schema, const edge_field *field)
{
    const char *type = type_of(field->type);
    if (type != NULL && !may_be_null(field))
        set_text(schema, "type", type);
    else if (type != NULL)
        json_object_set_new(schema, "type", json_pack("[s, s]", type, "null"));
    set_text(schema, "format", format_of(field->type));
}

static void set_values(json_t *schema, const edge_field *field)
{
    json_t *values = json_array();
    for (const char *const *value = field->values; value != NULL && *value != NULL; value++)
        json_array_append_new(values, json_string(*value));
    if (may_be_null(field))
        json_array_append_new(values, json_null());
    json_object_set_new(schema, "enum", values);
}

static void set_object(json_t *schema, const edge_field *field, enum openapi_use use)
{
    if (field->fields == NULL)
        return;
    json_t *object = openapi_object_schema(field->fields, use);
    json_object_del(object, "type");
    json_object_update(schema, object);
    json_decref(object);
}

static json_t *item_schema(const edge_field *items, enum openapi_use use)
{
    edge_field item = *items;
    item.name = NULL;
    return field_schema(&item, use);
}

/* What a type bounds, and what it is made of. */
static void set_details(json_t *schema, const edge_field *field, enum openapi_use use)
{
    switch (field->type) {
    case EDGE_TEXT:
        set_limits(schema, field, "minLength", "maxLength");
        if (field->required && field->min < 1 && use != OPENAPI_OUTPUT)
            json_object_set_new(schema, "minLength", json_integer(1));
        break;
    case EDGE_INT:
    case EDGE_NUMBER:
    case EDGE_ID:
        set_limits(schema, field, "minimum", "maximum");
        break;
    case EDGE_ENUM:
        set_values(schema, field);
        break;
    case EDGE_OBJECT:
        set_object(schema, field, use);
        set_limits(schema, field, "x-min-bytes", "x-max-bytes");
        break;
    case EDGE_ARRAY:
        set_limits(schema, field, "minItems", "maxItems");
        if (field->items != NULL)
            json_object_set_new(schema, "items", item_schema(field->items, use));
        break;
    case EDGE_MAP:
        set_limits(schema, field, "minProperties", "maxProperties");
        if (field->items != NULL)
            json_object_set_new(schema, "additionalProperties", item_schema(field->items, use));
        break;
    case EDGE_JSON:
        set_limits(schema, field, "x-min-bytes", "x-max-bytes");
        break;
    case EDGE_PATTERN:
        json_object_set_new(schema, "pattern", json_sprintf("^(%s)$", field->values[0]));
        break;
    case EDGE_CLOCK:
        set_text(schema, "pattern", "^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$");
        break;
    case EDGE_USER:
        json_object_set_new(schema, "minLength", json_integer(1));
        json_object_set_new(schema, "maxLength", json_integer(255));
        set_text(schema, "description", "The caller's own id. Under the service key, for whom to act");
        break;
    default:
        break;
    }
}

/* As validate.c reads it: JSON, or a bare word. */
static void set_default(json_t *schema, const edge_field *field)
{
    if (field->fallback == NULL)
        return;
    json_t *value = NULL;
    if (field->type != EDGE_TEXT && field->type != EDGE_ENUM && field->type != EDGE_PATTERN)
        value = json_loads(field->fallback, JSON_DECODE_ANY, NULL);
    json_object_set_new(schema, "default", value != NULL ? value : json_string(field->fallback));
}

static json_t *field_schema(const edge_field *field, enum openapi_use use)
{
    json_t *schema = json_object();
    set_type(schema, field);
    set_details(schema, field, use);
    set_default(schema, field);
    set_text(schema, "description", field->help);
    return schema;
}

/* A required field may come under one of its other names: one of them has to be there. */
static json_t *any_name(const edge_field *field)
{
    json_t *names = json_array();
    json_array_append_new(names, json_pack("{s:[s]}", "required", field->name));
    for (const char *const *alias = field->aliases; *alias != NULL; alias++)
        json_array_append_new(names, json_pack("{s:[s]}", "required", *alias));
    return json_pack("{s:o}", "anyOf", names);
}

static void add_aliases(json_t *properties, const edge_field *field, enum openapi_use use)
{
    for (const char *const *alias = field->aliases; alias != NULL && *alias != NULL; alias++) {
        json_t *schema = field_schema(field, use);
        json_object_del(schema, "default");
        json_object_set_new(schema, "description", json_sprintf("Another name of %s", field->name));
        json_object_set_new(schema, "deprecated", json_true());
        json_object_set_new(properties, *alias, schema);
    }
}

static void set_unless_empty(json_t *schema, const char *key, json_t *list)
{
    if (json_array_size(list) > 0)
        json_object_set(schema, key, list);
    json_decref(list);
}

json_t *openapi_object_schema(const edge_field *fields, enum openapi_use use)
{
    json_t *properties = json_object(), *required = json_array(), *all = json_array();
    const edge_field *others = NULL;
    for (const edge_field *field = fields; field != NULL && field->name != NULL; field++) {
        if (use == OPENAPI_OUTPUT && strcmp(field->name, "*") == 0) {
            others = field;
            continue;
        }
        json_object_set_new(properties, field->name, field_schema(field, use));
        add_aliases(properties, field, use);
        if (field->required && field->aliases == NULL)
            json_array_append_new(required, json_string(field->name));
        else if (field->required)
            json_array_append_new(all, any_name(field));
    }
    json_t *schema = json_pack("{s:s, s:o}", "type", "object", "properties", properties);
    set_unless_empty(schema, "required", required);
    set_unless_empty(schema, "allOf", all);
    if (others != NULL)
        json_object_set_new(schema, "additionalProperties", field_schema(others, use));
    if (use == OPENAPI_STRICT_INPUT)
        json_object_set_new(schema, "additionalProperties", json_false());
    return schema;
}
