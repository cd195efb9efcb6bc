/*
 * http_document: reads a document at a URL that the caller names, as functions do that take documents by URL.
 */
#include <edge/edge.h>

static const edge_field input[] = {
    { "url", EDGE_TEXT, .required = true, .max = 2048, .help = "Where the document is" },
    { "redirects", EDGE_INT, .min = -1, .max = 10, .fallback = "0", .help = "How many to follow; 0: as usual" },
    { 0 },
};

static json_t *document(edge_ctx *ctx, json_t *in)
{
    edge_reply *reply = edge_fetch_public(ctx, "document_fetch", .url = edge_json_text(in, "url"),
        .redirects_max = (int)edge_json_int(in, "redirects", 0), .max_bytes = 1 << 20);

    return json_pack(
        "{s:i, s:I, s:s}", "status", reply->status, "length", (json_int_t)reply->length, "body", reply->body);
}

EDGE_FUNCTION(http_document, .summary = "Fetches a document", .input = input, .handle = document);
