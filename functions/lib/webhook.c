/*
 * The webhook frame.
 */
#include "lib/webhook.h"

json_t *webhook_event(edge_ctx *ctx)
{
    size_t length;
    const char *body = edge_request_body(ctx, &length);
    json_t *event = edge_json_parse(ctx, body, length);

    if (!json_is_object(event))
        edge_fail(ctx, 400, "invalid_json", "The body must be a JSON object");
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

bool webhook_is_new(edge_tx *tx, const char *provider, const char *event_id)
{
    edge_rows *recorded = edge_tx_query(tx,
        "INSERT INTO edge.webhook_events (provider, event_id)"
        " VALUES ($1, $2)"
        " ON CONFLICT DO NOTHING"
        " RETURNING event_id",
        edge_text(provider), edge_text(event_id));

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
