/*
 * multipart_parts: what the SDK makes of a form: each part's name, type, size and digest, and whether the same
 * bytes lie in the file that it names.
 */
#include <edge/edge.h>

#include <string.h>
#include <unistd.h>

static json_t *in_file(const edge_part *part)
{
    char piece[4096];
    if (part->fd < 0)
        return json_null();
    for (size_t at = 0; at < part->length;) {
        ssize_t got = pread(part->fd, piece, sizeof piece, part->offset + (int64_t)at);
        size_t left = part->length - at;
        size_t most = got > 0 && (size_t)got < left ? (size_t)got : left < sizeof piece ? left : sizeof piece;
        if (got <= 0 || memcmp(piece, (const char *)part->data + at, most) != 0)
            return json_false();
        at += most;
    }
    return json_true();
}

static json_t *describe(edge_ctx *ctx, const edge_part *part)
{
    unsigned char digest[32];
    edge_sha256(part->data, part->length, digest);
    json_t *text = part->filename == NULL ? json_string(edge_part_text(ctx, part)) : json_null();
    return json_pack("{s:s, s:s?, s:s, s:I, s:s, s:o, s:o}", "name", part->name, "filename", part->filename,
        "mediaType", part->media_type, "length", (json_int_t)part->length, "sha256",
        edge_hex(ctx, digest, sizeof digest), "inFile", in_file(part), "text", text);
}

static json_t *multipart_parts(edge_ctx *ctx, json_t *in)
{
    (void)in;
    if (edge_request_query(ctx, "optional") != NULL && !edge_request_has_parts(ctx))
        return json_pack("{s:b}", "parts", 0);
    size_t count = 0;
    const edge_part *parts = edge_request_parts(ctx, &count);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, describe(ctx, &parts[i]));
    const edge_part *file = edge_request_part(ctx, "file");
    return json_pack("{s:o, s:s?}", "parts", list, "file", file != NULL ? file->filename : NULL);
}

EDGE_FUNCTION(multipart_parts,
    .summary = "Describes the parts of a form",
    .raw_body = true,
    .consumes = "multipart/form-data",
    .handle = multipart_parts);
