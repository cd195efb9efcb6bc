/*
 * Keys that users bring.
 */
#include "lib/api_key.h"

#include <string.h>

enum {
    KEY_MIN = 8,
    KEY_MAX = 4096,
};

static const edge_field account_fields[] = {
    { "name", EDGE_TEXT, .help = "Who the key belongs to" },
    { "email", EDGE_TEXT, .help = "And their address" },
    { 0 },
};

const edge_field api_key_connect_output[] = {
    { "success", EDGE_BOOL, .required = true, .help = "true" },
    { "message", EDGE_TEXT, .required = true, .help = "For people" },
    { "accountInfo", EDGE_OBJECT, .fields = account_fields, .required = true,
        .help = "As far as the provider tells" },
    { 0 },
};

const edge_field api_key_output[] = {
    { "success", EDGE_BOOL, .required = true, .help = "true" },
    { "message", EDGE_TEXT, .required = true, .help = "For people" },
    { "accountInfo", EDGE_OBJECT, .fields = account_fields, .help = "connect: as far as the provider tells" },
    { 0 },
};

const char *api_key_optional(edge_ctx *ctx, const json_t *in, const char *field)
{
    const char *key = edge_json_text(in, field);
    if (key == NULL || key[0] == '\0')
        return NULL;
    size_t length = strlen(key);
    for (const char *at = key; *at != '\0'; at++)
        if (*at <= ' ' || *at >= 0x7f)
            edge_fail_with(ctx, 400, "invalid_input", .field = field,
                .message =
                    edge_format(ctx, "%s must consist of printable ASCII characters without blanks", field));
    if (length < KEY_MIN || length > KEY_MAX)
        edge_fail_with(ctx, 400, "invalid_input", .field = field,
            .message = edge_format(ctx, "%s must have %d to %d characters", field, KEY_MIN, KEY_MAX));
    return key;
}

const char *api_key_required(edge_ctx *ctx, const json_t *in, const char *field, const char *message)
{
    const char *key = api_key_optional(ctx, in, field);
    if (key == NULL)
        edge_fail_with(ctx, 400, "invalid_input", .field = field, .message = message);
    return key;
}

void api_key_reject(edge_ctx *ctx, const char *message)
{
    edge_fail_with(ctx, 422, "invalid_api_key", .message = message);
}

json_t *api_key_account(const char *name, const char *email, const char *id)
{
    return json_pack("{s:s?, s:s?, s:s?}", "account_name", name, "account_email", email, "account_id", id);
}

/* Without the white space at its ends; "" for NULL. */
static const char *trimmed(edge_ctx *ctx, const char *text)
{
    static const char white[] = " \t\r\n";
    const char *from = text != NULL ? text + strspn(text, white) : "";
    size_t length = strlen(from);
    while (length > 0 && strchr(white, from[length - 1]) != NULL)
        length--;
    return edge_copy_bytes(ctx, from, length);
}

const char *api_key_full_name(edge_ctx *ctx, const json_t *person)
{
    const char *first = trimmed(ctx, edge_json_text(person, "firstName")),
               *last = trimmed(ctx, edge_json_text(person, "lastName"));
    const char *name = trimmed(ctx, edge_format(ctx, "%s %s", first, last));
    return name[0] != '\0' ? name : NULL;
}

const char *api_key_id(edge_ctx *ctx, const json_t *object, const char *name)
{
    const json_t *id = json_object_get(object, name);
    if (json_is_integer(id))
        return edge_format(ctx, "%lld", (long long)json_integer_value(id));
    return edge_json_text(object, name);
}

json_t *api_key_answer(const char *message, const json_t *account)
{
    return json_pack("{s:b, s:s, s:{s:s?, s:s?}}", "success", 1, "message", message, "accountInfo", "name",
        edge_json_text(account, "account_name"), "email", edge_json_text(account, "account_email"));
}

void api_key_forget(edge_ctx *ctx, const char *user, const struct service *service)
{
    const char *const names[] = { service->name, service->aliases[0] };
    edge_service_query(ctx,
        "UPDATE crm_connections"
        " SET connection_status = 'disconnected', credentials = '{}',"
        " sync_settings = sync_settings - ARRAY['account_name', 'account_email', 'account_id']"
        " WHERE user_id = $1 AND provider = ANY($2)",
        edge_text(user), edge_texts(names, names[1] != NULL ? 2 : 1));
}
