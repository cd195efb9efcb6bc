/*
 * http_upload: sends a provider a body of any size, written piece by piece or read from a file.
 */
#include <edge/edge.h>

#include <string.h>

enum {
    PIECE_BYTES = 50000
};

static const edge_field input[] = {
    { "bytes", EDGE_INT, .min = 0, .max = 1073741824, .fallback = "0", .help = "How much to write" },
    { "announce", EDGE_BOOL, .fallback = "false", .help = "With a Content-Length instead of in chunks" },
    { "file", EDGE_TEXT, .fallback = "", .help = "A file to send instead" },
    { 0 },
};

static edge_reply *write_all(edge_ctx *ctx, int64_t bytes, bool announce)
{
    char *piece = edge_alloc(ctx, PIECE_BYTES);
    memset(piece, 'p', PIECE_BYTES);
    edge_upload *upload = edge_fetch_upload(ctx, "peer", .method = "PUT", .path = "/store",
        .length = announce ? (size_t)bytes : 0, .timeout_ms = -1);
    for (int64_t left = bytes; left > 0; left -= PIECE_BYTES)
        if (!edge_upload_write(ctx, upload, piece, left < PIECE_BYTES ? (size_t)left : PIECE_BYTES))
            break;
    return edge_upload_end(ctx, upload);
}

static json_t *upload(edge_ctx *ctx, json_t *in)
{
    const char *file = edge_json_text(in, "file");
    edge_reply *reply =
        *file != '\0'
            ? edge_try_fetch(ctx, "peer", .method = "PUT", .path = "/store", .file = file, .timeout_ms = -1)
            : write_all(ctx, edge_json_int(in, "bytes", 0), edge_json_bool(in, "announce", false));

    edge_reply_check(ctx, reply);
    return json_incref(reply->json);
}

EDGE_FUNCTION(http_upload, .summary = "Uploads to a provider", .input = input, .handle = upload);
