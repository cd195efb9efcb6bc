/*
 * @NAME@: takes events of a provider.
 *
 * The host has verified the signature before this is called (auth = "@AUTH@").
 *
 * Providers deliver an event again when they have not heard our answer: what is done here must bear repetition.
 *
 * Database round trips: none.
 */
#include <edge/edge.h>

static json_t *handle(edge_ctx *ctx, json_t *in)
{
    (void)in;
    size_t length;
    const char *body = edge_request_body(ctx, &length);
    json_t *event = edge_json_parse(ctx, body, length);
    if (!json_is_object(event))
        edge_fail(ctx, 400, "invalid_json", "The body must be a JSON object");
    const char *type = edge_json_text(event, "type");

    edge_log(ctx, EDGE_LOG_INFO, "event_received", { "type", edge_text(type) });
    return json_pack("{s:b, s:s?}", "received", 1, "type", type);
}

EDGE_FUNCTION(@NAME@,
    .summary = "Takes events of a provider",
    .handle = handle,
    .raw_body = true);
