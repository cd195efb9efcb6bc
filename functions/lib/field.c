/*
 * Input fields whose rules a table cannot say.
 */
#include "lib/field.h"

#include "lib/text.h"

#include <string.h>

void field_fail(edge_ctx *ctx, const char *path, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const char *what = edge_vformat(ctx, format, args);
    va_end(args);
    edge_fail_with(ctx, 400, "invalid_input", .message = edge_format(ctx, "%s %s", path, what), .field = path);
}

bool field_is(const edge_field *field, const char *name)
{
    return strcmp(field->name, name) == 0;
}

json_t *field_trimmed(edge_ctx *ctx, json_t *value)
{
    return json_string(text_trim(ctx, json_string_value(value)));
}

json_t *field_untrimmed(edge_ctx *ctx, const edge_field *field, json_t *value)
{
    size_t length = text_characters(json_string_value(value));
    if ((double)length > field->max)
        field_fail(ctx, field->name, "must have at most %.0f characters, has %zu", field->max, length);
    return value;
}

void field_refuse_controls(edge_ctx *ctx, const char *path, const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++)
        if (*c < 0x20 || *c == 0x7f)
            field_fail(ctx, path, "must not contain control characters");
}

void field_check_characters(
    edge_ctx *ctx, const char *path, const char *text, const char *allowed, size_t max, const char *what)
{
    size_t length = strlen(text);
    if (length == 0 || length > max || strspn(text, allowed) != length)
        field_fail(ctx, path, "must be %s", what);
}
