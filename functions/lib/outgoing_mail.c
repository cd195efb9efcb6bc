/*
 * Mails that users send from their own accounts.
 */
#include "lib/outgoing_mail.h"

#include <ctype.h>
#include <string.h>

#include "lib/field.h"
#include "lib/idempotency.h"
#include "lib/text.h"

enum {
    RECIPIENTS_MAX = 100,
    BODY_BYTES_MAX = 1048576,
};

static const char *const content_types[] = { "html", "text", NULL };

const edge_field outgoing_mail_input[] = {
    { "userId", EDGE_USER, .help = "From whose account; required under the service key" },
    { "to", EDGE_JSON, .required = true,
        .help = "Addresses, separated by commas or as an array: jane@example.com, Ann Lee <ann@example.com>" },
    { "subject", EDGE_TEXT, .min = 1, .max = 255, .required = true, .help = "Subject line" },
    { "body", EDGE_TEXT, .required = true, .help = "Text or HTML, up to 1 MiB" },
    { "cc", EDGE_JSON, .help = "As to" },
    { "bcc", EDGE_JSON, .help = "As to; together with to and cc up to 100 addresses" },
    { "contentType", EDGE_ENUM, .values = content_types,
        .help = "What body is; absent: html when it has a tag" },
    { "dryRun", EDGE_BOOL, .fallback = "false",
        .help = "true: nothing is sent, the answer shows what would be" },
    { "idempotencyKey", EDGE_TEXT, .help = "A repeated request with it sends no second mail" },
    { 0 },
};

static void check_body(edge_ctx *ctx, const json_t *value)
{
    size_t length = json_string_length(value);
    if (length > BODY_BYTES_MAX)
        field_fail(ctx, "body", "must have at most %d bytes, has %zu", BODY_BYTES_MAX, length);
}

json_t *outgoing_mail_check(edge_ctx *ctx, const json_t *in, const edge_field *field, json_t *value)
{
    (void)in;
    if (field_is(field, "to") && addresses_read(ctx, field->name, value).count == 0)
        field_fail(ctx, field->name, "must name somebody");
    if (field_is(field, "cc") || field_is(field, "bcc"))
        addresses_read(ctx, field->name, value);
    if (field_is(field, "body"))
        check_body(ctx, value);
    if (!field_is(field, "subject"))
        return value;
    field_refuse_controls(ctx, field->name, json_string_value(value));
    return field_trimmed(ctx, value);
}

static const char *joined(edge_ctx *ctx, const json_t *to)
{
    struct text text = { .ctx = ctx };
    if (json_is_string(to))
        return json_string_value(to);
    for (size_t i = 0; i < json_array_size(to); i++)
        text_add_format(&text, "%s%s", i > 0 ? ", " : "", json_string_value(json_array_get(to, i)));
    return text_value(&text);
}

/* A tag, and something that ends it: what a model meant as HTML. Otherwise a text keeps its line breaks. */
static bool looks_like_html(const char *body)
{
    for (const char *at = body; (at = strchr(at, '<')) != NULL; at++)
        if (at[1] == '/' || at[1] == '!' || (isascii((unsigned char)at[1]) && isalpha((unsigned char)at[1])))
            return strchr(at, '>') != NULL;
    return false;
}

struct outgoing_mail outgoing_mail_read(edge_ctx *ctx, json_t *in)
{
    const char *type = edge_json_text(in, "contentType"), *body = edge_json_text(in, "body");
    struct outgoing_mail mail = {
        .to = addresses_read(ctx, "to", json_object_get(in, "to")),
        .cc = addresses_read(ctx, "cc", json_object_get(in, "cc")),
        .bcc = addresses_read(ctx, "bcc", json_object_get(in, "bcc")),
        .to_text = joined(ctx, json_object_get(in, "to")),
        .subject = edge_json_text(in, "subject"),
        .body = body,
        .html = type != NULL ? strcmp(type, "html") == 0 : looks_like_html(body),
        .dry_run = edge_json_bool(in, "dryRun", false),
        .key = idempotency_key(ctx, in),
    };
    size_t count = mail.to.count + mail.cc.count + mail.bcc.count;
    if (count > RECIPIENTS_MAX)
        field_fail(
            ctx, "to", "cc and bcc must have at most %d addresses together, have %zu", RECIPIENTS_MAX, count);
    return mail;
}

json_t *outgoing_mail_summary(const struct outgoing_mail *mail)
{
    return json_pack("{s:o, s:o, s:o, s:s, s:I}", "to", addresses_json(&mail->to), "cc",
        addresses_json(&mail->cc), "bcc", addresses_json(&mail->bcc), "subject", mail->subject, "bodyBytes",
        (json_int_t)strlen(mail->body));
}
