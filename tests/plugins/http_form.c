/*
 * http_form: sends a provider a form with fields and a file.
 */
#include <edge/edge.h>

static const edge_field input[] = {
    { "file", EDGE_TEXT, .required = true, .help = "Path of the file" },
    { "filename", EDGE_TEXT, .required = true, .help = "What to call it" },
    { 0 },
};

static json_t *form(edge_ctx *ctx, json_t *in)
{
    const edge_form_part parts[] = {
        { "model", "whisper-1" },
        { "file", .file = edge_json_text(in, "file"), .filename = edge_json_text(in, "filename"),
            .content_type = "audio/webm" },
        { "language", "en" },
        { 0 },
    };
    edge_reply *reply = edge_fetch(ctx, "peer", .path = "/form", .parts = parts, .timeout_ms = -1);

    return json_incref(reply->json);
}

EDGE_FUNCTION(http_form, .summary = "Sends a form to a provider", .input = input, .handle = form);
