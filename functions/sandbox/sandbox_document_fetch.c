/*
 * sandbox_document_fetch: stand-in for whatever host a document's URL names. What is there, the path says:
 *
 *     /<anything>.<extension>        a small document of that kind; ?bytes=<n> makes it n bytes long, zeros
 * behind it /status/<code>/...             that status, without a document /redirect/<n>/<rest>           n
 * redirects, then /<rest> /away?to=<url>                 a redirect to that URL
 *
 * An order's member "base64" is sent as the document's bytes.
 */
#include <edge/edge.h>

#include <stdlib.h>
#include <string.h>

#include "lib/sandbox.h"

enum {
    PIECE_BYTES = 65536,
};

#define BYTES(text) text, sizeof(text) - 1

/* First bytes of each kind, by which readers tell them apart; PNG and GIF are whole pictures of one pixel. */
static const struct kind {
    const char *extension, *media_type, *bytes;
    size_t length;
} kinds[] = {
    { "pdf", "application/pdf",
        BYTES("%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n") },
    { "png", "image/png",
        BYTES("\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0:~\x9bU\0\0\0\nIDATx\x9c"
              "c`\0\0\0\x02\0\x01H\xaf\xa4q\0\0\0\0IEND\xae"
              "B`\x82") },
    { "jpg", "image/jpeg", BYTES("\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xd9") },
    { "jpeg", "image/jpeg", BYTES("\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0\xff\xd9") },
    { "gif", "image/gif",
        BYTES("GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\x01\0\x01\0\0\x02\x02"
              "D\x01\0;") },
    { "webp", "image/webp",
        BYTES("RIFF\x1a\0\0\0WEBPVP8L\r\0\0\0/\0\0\0\x10\x07\x10\x11\x11\x88\x88\xfe\x07\0") },
    { "mp4", "video/mp4",
        BYTES("\0\0\0\x18"
              "ftypmp42\0\0\0\0mp42isom") },
    { "docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        BYTES("PK\x03\x04\x14\0") },
    { "xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", BYTES("PK\x03\x04\x14\0") },
    { "zip", "application/zip", BYTES("PK\x03\x04\x14\0") },
    { "doc", "application/msword", BYTES("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") },
    { "xls", "application/vnd.ms-excel", BYTES("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") },
    { "txt", "text/plain", BYTES("Plain text.\n") },
    { "empty", "application/pdf", BYTES("") },
    { "html", "text/html", BYTES("<!doctype html><title>A page</title>") },
};

static const struct kind *kind_of(const char *path)
{
    const char *name = strrchr(path, '/'), *dot = strrchr(name != NULL ? name : path, '.');
    const struct kind *last = &kinds[sizeof kinds / sizeof *kinds - 1];
    for (const struct kind *kind = kinds; dot != NULL && kind <= last; kind++)
        if (strcasecmp(dot + 1, kind->extension) == 0)
            return kind;
    return last;
}

/* In pieces: documents beyond the reader's limit are larger than this function's memory. */
static json_t *send_padded(edge_ctx *ctx, const struct kind *kind, size_t length)
{
    char *piece = edge_alloc(ctx, PIECE_BYTES);
    memcpy(piece, kind->bytes, kind->length);
    edge_stream_begin(ctx, 200, kind->media_type);
    for (size_t sent = 0; sent < length;) {
        size_t size = length - sent < PIECE_BYTES ? length - sent : PIECE_BYTES;
        edge_stream_bytes(ctx, piece, size);
        memset(piece, 0, kind->length);
        sent += size;
    }
    return NULL;
}

static json_t *redirect(edge_ctx *ctx, const char *rest)
{
    char *end;
    long left = strtol(rest, &end, 10);
    edge_respond_redirect(ctx, 302,
        left > 1        ? edge_format(ctx, "/redirect/%ld%s", left - 1, end)
        : end[0] == '/' ? end
                        : "/");
    return NULL;
}

static json_t *send_bytes(edge_ctx *ctx, const json_t *order)
{
    size_t length;
    const void *bytes = edge_base64_decode(ctx, edge_json_text(order, "base64"), &length);
    const char *media_type = edge_json_text(json_object_get(order, "headers"), "content-type");
    edge_response_status(ctx, (int)edge_json_int(order, "status", 200));
    edge_respond_bytes(ctx, media_type != NULL ? media_type : "application/octet-stream", bytes, length);
    return NULL;
}

static json_t *sandbox_documents(edge_ctx *ctx, json_t *in)
{
    (void)in;
    json_t *order = sandbox_receive(ctx, "document_fetch");
    if (edge_json_text(order, "base64") != NULL)
        return send_bytes(ctx, order);
    if (sandbox_has_answer(order))
        return sandbox_answer(ctx, order);

    const char *path = edge_request_rest(ctx), *bytes = edge_request_query(ctx, "bytes");
    if (strncmp(path, "/status/", 8) == 0)
        return sandbox_send(ctx, order, atoi(path + 8), "text/plain", "As asked for\n");
    if (strncmp(path, "/redirect/", 10) == 0)
        return redirect(ctx, path + 10);
    if (strcmp(path, "/away") == 0 && edge_request_query(ctx, "to") != NULL) {
        edge_respond_redirect(ctx, 302, edge_request_query(ctx, "to"));
        return NULL;
    }
    const struct kind *kind = kind_of(path);
    if (bytes != NULL)
        return send_padded(ctx, kind, (size_t)strtoul(bytes, NULL, 10));
    if (edge_json_int(order, "truncateAfter", -1) >= 0 || edge_json_int(order, "stallAfter", -1) >= 0)
        return sandbox_send(ctx, order, 200, kind->media_type, kind->bytes);
    edge_respond_bytes(ctx, kind->media_type, kind->bytes, kind->length);
    return NULL;
}

EDGE_FUNCTION(sandbox_document_fetch,
    .summary = "Stand-in for the hosts of documents that people point at",
    .handle = sandbox_documents,
    .methods = "GET HEAD",
    .raw_body = true,
    .streams = true);
