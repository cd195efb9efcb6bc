/*
 * Input tables: which members an object must and may have. The first bad one in the table's order is answered
 * with 400, naming its path.
 */
#include "validate.h"

#include <edge/json.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *input_path_text(edge_ctx *ctx, const struct input_path *path)
{
    if (path == NULL)
        return "";
    const char *parent = input_path_text(ctx, path->parent);
    if (path->name == NULL)
        return edge_format(ctx, "%s[%zu]", parent, path->index);
    return parent[0] == '\0' ? path->name : edge_format(ctx, "%s.%s", parent, path->name);
}

const char *input_code(const edge_ctx *ctx)
{
    const edge_shape *shape = ctx->function != NULL ? ctx->function->shape : NULL;
    return shape != NULL && shape->invalid_code != NULL ? shape->invalid_code : "invalid_input";
}

void input_fail(edge_ctx *ctx, const struct input_path *path, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *what = edge_vformat(ctx, format, args);
    va_end(args);
    const char *field = input_path_text(ctx, path);
    edge_fail_with(
        ctx, 400, input_code(ctx), .message = edge_format(ctx, "%s %s", field, what), .field = field);
}

void input_refuse(edge_ctx *ctx, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *what = edge_vformat(ctx, format, args);
    va_end(args);
    edge_fail_with(ctx, 400, input_code(ctx), .message = what);
}

static bool absent(const edge_field *field, const json_t *value)
{
    if (value == NULL || json_is_null(value))
        return true;
    return !field->required && json_is_string(value) && json_string_length(value) == 0;
}

/* The member, or the first of its aliases that is there, moved to its proper name. */
static json_t *find_member(const edge_field *field, json_t *object)
{
    json_t *value = json_object_get(object, field->name);
    if (value != NULL && !json_is_null(value))
        return value;
    for (const char *const *alias = field->aliases; alias != NULL && *alias != NULL; alias++) {
        json_t *other = json_object_get(object, *alias);
        if (other == NULL || json_is_null(other))
            continue;
        json_object_set(object, field->name, other);
        return other;
    }
    return value;
}

static void set_fallback(edge_ctx *ctx, const edge_field *field, json_t *object)
{
    if (field->fallback == NULL) {
        json_object_del(object, field->name);
        return;
    }
    json_t *value = NULL;
    if (field->type != EDGE_TEXT && field->type != EDGE_ENUM && field->type != EDGE_PATTERN)
        value = edge_json_parse(ctx, field->fallback, strlen(field->fallback));
    json_object_set_new(object, field->name, value != NULL ? value : json_string(field->fallback));
}

/* Under the service key, and only then, the body says for whom the function acts. */
static bool needs_user(edge_ctx *ctx)
{
    return ctx->identity.caller == EDGE_CALLER_SERVICE && ctx->function != NULL &&
           !ctx->function->service_without_user;
}

static bool is_field(const edge_field *fields, const char *name)
{
    for (const edge_field *field = fields; field->name != NULL; field++) {
        if (strcmp(field->name, name) == 0)
            return true;
        for (const char *const *alias = field->aliases; alias != NULL && *alias != NULL; alias++)
            if (strcmp(*alias, name) == 0)
                return true;
    }
    return false;
}

/* After the table: a field that is wrong says more than one that is not known. */
static void refuse_unknown(
    edge_ctx *ctx, const edge_field *fields, const struct input_path *path, json_t *object)
{
    const char *name = NULL;
    json_t *value = NULL;
    if (ctx->function == NULL || ctx->function->unknown_fields != EDGE_UNKNOWN_REFUSE)
        return;
    json_object_foreach(object, name, value)
    {
        struct input_path here = { .parent = path, .name = name };
        if (!is_field(fields, name))
            input_fail(ctx, &here, "is no field of this function");
    }
}

/* Whether null in this field is a value, and there. */
static bool keeps_null(
    const edge_ctx *ctx, const edge_field *field, const struct input_path *path, const json_t *value)
{
    const char *const *name = ctx->function != NULL && path == NULL ? ctx->function->null_fields : NULL;
    while (name != NULL && *name != NULL && strcmp(*name, field->name) != 0)
        name++;
    return name != NULL && *name != NULL && json_is_null(value);
}

/* The member as it is to be checked: under its proper name, trimmed where that is wanted. */
static json_t *take_member(edge_ctx *ctx, const edge_field *field, json_t *object)
{
    json_t *value = find_member(field, object), *trimmed = input_trim(ctx, value);
    if (trimmed != value)
        json_object_set_new(object, field->name, trimmed);
    return trimmed;
}

void input_check_object(edge_ctx *ctx, const edge_field *fields, const struct input_path *path, json_t *object)
{
    for (const edge_field *field = fields; field->name != NULL; field++) {
        struct input_path here = { .parent = path, .name = field->name };
        json_t *value = take_member(ctx, field, object);
        if (keeps_null(ctx, field, path, value))
            continue;
        if (absent(field, value)) {
            if (field->required || (field->type == EDGE_USER && needs_user(ctx)))
                input_fail(ctx, &here, "is required");
            set_fallback(ctx, field, object);
            continue;
        }
        json_t *checked = input_check(ctx, field, &here, value);
        if (path == NULL && ctx->function != NULL && ctx->function->check != NULL)
            checked = ctx->function->check(ctx, object, field, checked);
        if (checked != value)
            json_object_set_new(object, field->name, checked);
    }
    refuse_unknown(ctx, fields, path, object);
}

void input_check_nul(edge_ctx *ctx, const struct input_path *path, const json_t *value)
{
    if (json_is_string(value) && strlen(json_string_value(value)) != json_string_length(value))
        input_fail(ctx, path, "must not contain U+0000");
    for (size_t i = 0; i < json_array_size(value); i++) {
        struct input_path here = { .parent = path, .index = i };
        input_check_nul(ctx, &here, json_array_get(value, i));
    }
    const char *name = NULL;
    json_t *member = NULL;
    json_object_foreach((json_t *)value, name, member)
    {
        struct input_path here = { .parent = path, .name = name };
        input_check_nul(ctx, &here, member);
    }
}

void edge_input_check(edge_ctx *ctx, const char *path, const edge_field *fields, json_t *object)
{
    struct input_path here = { .name = path };
    input_check_object(ctx, fields, path[0] != '\0' ? &here : NULL, object);
}

/* What no table describes is looked through last, so that the table's order decides what is reported. */
json_t *context_validate(edge_ctx *ctx, const edge_field *fields, json_t *body)
{
    if (fields != NULL)
        input_check_object(ctx, fields, NULL, body);
    input_check_nul(ctx, NULL, body);
    return body;
}
