/*
 * http_relay: sends the file of a form on to a provider, in a form of its own and as it is.
 */
#include <edge/edge.h>

static json_t *relay(edge_ctx *ctx, json_t *in)
{
    (void)in;
    const edge_part *file = edge_request_part(ctx, "file");
    if (file == NULL || file->filename == NULL)
        edge_fail_with(ctx, 400, "invalid_input", .field = "file", .message = "file is required");

    const edge_form_part parts[] = {
        { "file", .data = file->data, .length = file->length, .file_descriptor = file->fd,
            .file_offset = file->offset, .filename = file->filename, .content_type = file->media_type },
        { 0 },
    };
    edge_reply *replies[2];
    edge_fetch_all(ctx, replies, EDGE_CALL("peer", .path = "/form", .parts = parts),
        EDGE_CALL("peer", .path = "/store", .body = file->data, .length = file->length,
            .file_descriptor = file->fd, .file_offset = file->offset));
    edge_reply_check(ctx, replies[0]);
    edge_reply_check(ctx, replies[1]);

    return json_pack("{s:O, s:O}", "form", replies[0]->json, "store", replies[1]->json);
}

EDGE_FUNCTION(http_relay, .summary = "Sends a received file on", .raw_body = true, .handle = relay);
