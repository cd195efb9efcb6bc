/*
 * The webhook frame.
 */
#include "lib/webhook.h"

#include <string.h>

enum {
    ID_MAX = 512, /* bytes of an id that are kept as they are */
};

const edge_field webhook_output[] = { WEBHOOK_FIELDS, { 0 } };

static void remove_nul(edge_ctx *ctx, json_t *text)
{
    size_t length = json_string_length(text), kept = 0;
    const char *from = json_string_value(text);
    if (strlen(from) == length)
        return;
    char *to = edge_alloc(ctx, length);
    for (size_t i = 0; i < length; i++)
        if (from[i] != '\0')
            to[kept++] = from[i];
    json_string_setn_nocheck(text, to, kept);
}

/* PostgreSQL cannot hold U+0000, and a sender whose call had one in it would deliver it again and again. */
static void remove_nuls(edge_ctx *ctx, json_t *value)
{
    const char *key;
    size_t i;
    json_t *item;
    if (json_is_string(value))
        remove_nul(ctx, value);
    json_object_foreach(value, key, item) remove_nuls(ctx, item);
    json_array_foreach(value, i, item) remove_nuls(ctx, item);
}

json_t *webhook_event(edge_ctx *ctx)
{
    size_t length;
    const char *body = edge_request_body(ctx, &length);
    json_t *event = edge_json_parse(ctx, body, length);

    if (!json_is_object(event))
        edge_fail(ctx, 400, "invalid_json", "The body must be a JSON object");
    remove_nuls(ctx, event);
    return event;
}

static bool has_header(edge_ctx *ctx, const char *name)
{
    const char *value = edge_request_header(ctx, name);
    return value != NULL && value[0] != '\0';
}

const char *webhook_svix_id(edge_ctx *ctx)
{
    bool svix =
        has_header(ctx, "svix-id") && has_header(ctx, "svix-timestamp") && has_header(ctx, "svix-signature");
    const char *name = svix ? "svix-id" : "webhook-id";

    if (!has_header(ctx, name))
        edge_fail(ctx, 401, "missing_signature", "The delivery has no id header");
    return edge_request_header(ctx, name);
}

static const char *digest(edge_ctx *ctx, const void *data, size_t length)
{
    uint8_t sha256[EDGE_SHA256_BYTES];
    edge_sha256(data, length, sha256);
    return edge_format(ctx, "sha256:%s", edge_hex(ctx, sha256, sizeof sha256));
}

const char *webhook_body_id(edge_ctx *ctx)
{
    size_t length;
    const void *body = edge_request_body(ctx, &length);
    return digest(ctx, body, length);
}

const char *webhook_event_key(edge_ctx *ctx, const char *event_id)
{
    size_t length = strlen(event_id);
    return length > ID_MAX ? digest(ctx, event_id, length) : event_id;
}

json_t *webhook_ignore(edge_ctx *ctx, const char *provider, const char *event_id, const char *reason)
{
    EDGE_TRANSACTION(ctx, tx, .service = true)
    {
        if (!webhook_is_new(ctx, tx, provider, event_id))
            return webhook_duplicate();
    }
    return webhook_ignored(reason);
}

bool webhook_is_new(edge_ctx *ctx, edge_tx *tx, const char *provider, const char *event_id)
{
    edge_rows *recorded = edge_tx_query(tx,
        "INSERT INTO edge.webhook_events (provider, event_id)"
        " VALUES ($1, $2)"
        " ON CONFLICT DO NOTHING"
        " RETURNING event_id",
        edge_text(provider), edge_text(webhook_event_key(ctx, event_id)));

    return edge_rows_count(recorded) > 0;
}

json_t *webhook_done(void)
{
    return json_pack("{s:b}", "success", 1);
}

json_t *webhook_duplicate(void)
{
    return json_pack("{s:b, s:b}", "success", 1, "duplicate", 1);
}

json_t *webhook_ignored(const char *reason)
{
    return json_pack("{s:b, s:b, s:s}", "success", 1, "ignored", 1, "reason", reason);
}
