/*
 * Answers against output tables, for development hosts: what the OpenAPI document says of an answer has to be
 * true. Nothing is changed and nobody is refused; the first difference is told in words.
 */
#include "validate.h"

#include <edge/json.h>

#include <math.h>
#include <string.h>

static const char *check_value(
    edge_ctx *ctx, const edge_field *field, const struct input_path *path, const json_t *value);

static const char *says(edge_ctx *ctx, const struct input_path *path, const char *what)
{
    return edge_format(ctx, "%s %s", input_path_text(ctx, path), what);
}

static bool bounded(const edge_field *field)
{
    return field->min != 0 || field->max != 0;
}

static bool is_whole(const json_t *value)
{
    return json_is_integer(value) ||
           (json_is_real(value) && json_real_value(value) == floor(json_real_value(value)));
}

static bool is_listed(const edge_field *field, const char *text)
{
    const char *const *one = field->values;
    while (*one != NULL && strcmp(*one, text) != 0)
        one++;
    return *one != NULL;
}

/* What is wrong with a string, NULL: nothing. */
static const char *check_text(edge_ctx *ctx, const edge_field *field, const char *text)
{
    switch (field->type) {
    case EDGE_UUID:
        return strlen(text) == 36 && input_matches(text, "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx") ? NULL
                                                                                                 : "is no UUID";
    case EDGE_DATE:
    case EDGE_DAY:
        return input_is_day(text) ? NULL : "is no date";
    case EDGE_DATETIME:
        return input_is_datetime(text) ? NULL : "is no date and time";
    case EDGE_ENUM:
        return is_listed(field, text) ? NULL : edge_format(ctx, "is none of its values: \"%s\"", text);
    case EDGE_URL:
        return strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0 ? NULL : "is no URL";
    default:
        return NULL;
    }
}

static const char *check_number(const edge_field *field, const json_t *value)
{
    double number = json_number_value(value);
    if (field->type != EDGE_NUMBER && !is_whole(value))
        return "is no whole number";
    return bounded(field) && (number < field->min || number > field->max) ? "is out of its range" : NULL;
}

static const char *check_items(
    edge_ctx *ctx, const edge_field *field, const struct input_path *path, const json_t *array)
{
    const char *wrong = NULL;
    size_t count = json_array_size(array);
    if (bounded(field) && ((double)count < field->min || (double)count > field->max))
        return says(ctx, path, "has another number of items");
    for (size_t i = 0; field->items != NULL && i < count && wrong == NULL; i++) {
        struct input_path here = { .parent = path, .index = i };
        wrong = check_value(ctx, field->items, &here, json_array_get(array, i));
    }
    return wrong;
}

static const char *check_map(
    edge_ctx *ctx, const edge_field *field, const struct input_path *path, const json_t *map)
{
    const char *name = NULL, *wrong = NULL;
    json_t *value = NULL;
    json_object_foreach(field->items != NULL ? (json_t *)map : NULL, name, value)
    {
        struct input_path here = { .parent = path, .name = name };
        wrong = check_value(ctx, field->items, &here, value);
        if (wrong != NULL)
            return wrong;
    }
    return NULL;
}

/* The field of this name; NULL: there is none. */
static const edge_field *named(const edge_field *fields, const char *name)
{
    while (fields->name != NULL && strcmp(fields->name, name) != 0)
        fields++;
    return fields->name != NULL ? fields : NULL;
}

static const char *check_members(
    edge_ctx *ctx, const edge_field *fields, const struct input_path *path, const json_t *object)
{
    const char *name = NULL, *wrong = NULL;
    const edge_field *others = named(fields, "*");
    json_t *value = NULL;
    for (const edge_field *field = fields; field->name != NULL; field++) {
        struct input_path here = { .parent = path, .name = field->name };
        value = json_object_get(object, field->name);
        bool absent = value == NULL || json_is_null(value);
        if (absent && field->required)
            return says(ctx, &here, "is missing");
        if (!absent && (wrong = check_value(ctx, field, &here, value)) != NULL)
            return wrong;
    }
    json_object_foreach((json_t *)object, name, value)
    {
        struct input_path here = { .parent = path, .name = name };
        if (named(fields, name) != NULL)
            continue;
        if (others == NULL)
            return says(ctx, &here, "is not in the output table");
        if ((wrong = check_value(ctx, others, &here, value)) != NULL)
            return wrong;
    }
    return NULL;
}

static const char *check_value(
    edge_ctx *ctx, const edge_field *field, const struct input_path *path, const json_t *value)
{
    const char *wrong = NULL;
    switch (field->type) {
    case EDGE_JSON:
        return NULL;
    case EDGE_BOOL:
        return json_is_boolean(value) ? NULL : says(ctx, path, "is neither true nor false");
    case EDGE_INT:
    case EDGE_ID:
    case EDGE_NUMBER:
        wrong = json_is_number(value) ? check_number(field, value) : "is no number";
        return wrong != NULL ? says(ctx, path, wrong) : NULL;
    case EDGE_OBJECT:
        if (!json_is_object(value))
            return says(ctx, path, "is no object");
        return field->fields != NULL ? check_members(ctx, field->fields, path, value) : NULL;
    case EDGE_MAP:
        return json_is_object(value) ? check_map(ctx, field, path, value) : says(ctx, path, "is no object");
    case EDGE_ARRAY:
        return json_is_array(value) ? check_items(ctx, field, path, value) : says(ctx, path, "is no array");
    default:
        wrong = json_is_string(value) ? check_text(ctx, field, json_string_value(value)) : "is no string";
        return wrong != NULL ? says(ctx, path, wrong) : NULL;
    }
}

const char *context_answer_mismatch(edge_ctx *ctx, const edge_field *fields, const json_t *answer)
{
    return json_is_object(answer) ? check_members(ctx, fields, NULL, answer) : "The answer is no object";
}
