/*
 * Input tables: which members an object must and may have. The first bad one in the table's order is answered
 * with 400, naming its path.
 */
#include "validate.h"

#include <edge/json.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *path_text(edge_ctx *ctx, const struct input_path *path)
{
    if (path == NULL)
        return "";
    const char *parent = path_text(ctx, path->parent);
    if (path->name == NULL)
        return edge_format(ctx, "%s[%zu]", parent, path->index);
    return parent[0] == '\0' ? path->name : edge_format(ctx, "%s.%s", parent, path->name);
}

void input_fail(edge_ctx *ctx, const struct input_path *path, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *what = edge_vformat(ctx, format, args);
    va_end(args);
    const edge_shape *shape = ctx->function != NULL ? ctx->function->shape : NULL;
    const char *code = shape != NULL && shape->invalid_code != NULL ? shape->invalid_code : "invalid_input";
    const char *field = path_text(ctx, path);
    edge_fail_with(ctx, 400, code, .message = edge_format(ctx, "%s %s", field, what), .field = field);
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
    if (field->type != EDGE_TEXT && field->type != EDGE_ENUM)
        value = edge_json_parse(ctx, field->fallback, strlen(field->fallback));
    json_object_set_new(object, field->name, value != NULL ? value : json_string(field->fallback));
}

/* Under the service key, and only then, the body says for whom the function acts. */
static bool needs_user(edge_ctx *ctx)
{
    return ctx->identity.caller == EDGE_CALLER_SERVICE && ctx->function != NULL &&
           !ctx->function->service_without_user;
}

void input_check_object(edge_ctx *ctx, const edge_field *fields, const struct input_path *path, json_t *object)
{
    for (const edge_field *field = fields; field->name != NULL; field++) {
        struct input_path here = { .parent = path, .name = field->name };
        json_t *value = find_member(field, object);
        if (absent(field, value)) {
            if (field->required || (field->type == EDGE_USER && needs_user(ctx)))
                input_fail(ctx, &here, "is required");
            set_fallback(ctx, field, object);
            continue;
        }
        json_t *checked = input_check(ctx, field, &here, value);
        if (checked != value)
            json_object_set_new(object, field->name, checked);
    }
}

json_t *context_validate(edge_ctx *ctx, const edge_field *fields, json_t *body)
{
    if (fields != NULL)
        input_check_object(ctx, fields, NULL, body);
    return body;
}
