/*
 * What the CRM tools share.
 */
#include "lib/crm.h"

#include "lib/field.h"

#include <string.h>

const edge_shape crm_shape = {
    .success_false = true,
    .suggestion = "Check what was sent against the error, and tell the user when it cannot be corrected",
};

const edge_field crm_word = { .type = EDGE_TEXT };

json_t *crm_answer(json_t *data, const char *message)
{
    json_object_set_new(data, "message", json_string(message));
    return json_pack("{s:b, s:o}", "success", 1, "data", data);
}

json_t *crm_replay(json_t *data)
{
    json_object_set_new(data, "replayed", json_true());
    return json_pack("{s:b, s:o}", "success", 1, "data", data);
}

const char *crm_digits(edge_ctx *ctx, const json_t *id)
{
    const char *text = json_string_value(id);
    if (json_is_integer(id))
        return edge_format(ctx, "%lld", (long long)json_integer_value(id));
    return text != NULL && text[0] != '\0' && text[strspn(text, "0123456789")] == '\0' ? text : NULL;
}

json_t *crm_choice(edge_ctx *ctx, const edge_field *field, const json_t *value, const char *const *values)
{
    const char *text = json_string_value(value), *allowed = "";
    for (const char *const *one = values; *one != NULL; one++) {
        if (strcasecmp(*one, text) == 0)
            return json_string(*one);
        allowed = edge_format(ctx, "%s%s%s", allowed, allowed[0] != '\0' ? ", " : "", *one);
    }
    field_fail(ctx, field->name, "must be one of %s", allowed);
}

void crm_require_profile(edge_ctx *ctx, const edge_rows *profile)
{
    if (edge_rows_count(profile) == 0)
        edge_fail_with(ctx, 404, "user_not_found",
            .message = edge_format(ctx, "User \"%s\" does not exist", edge_auth_user(ctx)),
            .suggestion = "Sign in again, or check the user's id");
}

void crm_require_named_profile(edge_ctx *ctx, const edge_rows *profile)
{
    if (edge_auth_caller(ctx) == EDGE_CALLER_SERVICE)
        crm_require_profile(ctx, profile);
}
