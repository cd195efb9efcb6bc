/*
 * ws_bytes: answers that are no JSON value: bytes at once, bytes in pieces, JSON text, a redirect, nothing.
 */
#include <edge/edge.h>

#include <string.h>

static const char *const ways[] = { "whole", "pieces", "json", "redirect", "nothing", "abort", NULL };

static const edge_field input[] = {
    { "how", EDGE_ENUM, .values = ways, .fallback = "whole", .help = "What kind of answer" },
    { 0 },
};

static void send_pieces(edge_ctx *ctx)
{
    edge_stream_begin(ctx, 200, "audio/mpeg");
    edge_stream_bytes(ctx, "one", 3);
    edge_stream_bytes(ctx, "\x00\xff", 2);
}

static json_t *ws_bytes(edge_ctx *ctx, json_t *in)
{
    const char *how = edge_json_text(in, "how");
    if (strcmp(how, "whole") == 0)
        edge_respond_bytes(ctx, "application/pdf", "%PDF\x00\xff", 6);
    else if (strcmp(how, "json") == 0)
        edge_respond_bytes(ctx, "application/json", "{\"made\":\"by hand\"}", 18);
    else if (strcmp(how, "redirect") == 0)
        edge_respond_redirect(ctx, 302, "https://example.com/");
    else if (strcmp(how, "nothing") != 0)
        send_pieces(ctx);
    if (strcmp(how, "abort") == 0)
        edge_stream_abort(ctx);
    return NULL;
}

EDGE_FUNCTION(ws_bytes,
    .summary = "Answers with bytes",
    .input = input,
    .handle = ws_bytes,
    .streams = true);
