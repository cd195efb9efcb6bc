/*
 * hoard: takes memory without an end, in the way that it is asked for, or answers with more than there is.
 */
#include <edge/edge.h>

#include <stdlib.h>
#include <string.h>

enum {
    PIECE = 256 * 1024
};

static const char *const ways[] = { "arena", "json", "malloc", "malloc_crash", "giant", "stream", NULL };

static const edge_field input[] = {
    { "how", EDGE_ENUM, .values = ways, .required = true, .help = "What is taken" },
    { "pieces", EDGE_INT, .min = 1, .max = 1000000, .fallback = "65536", .help = "Of the stream, 64 KiB each" },
    { 0 },
};

static void take_from_arena(edge_ctx *ctx)
{
    for (;;)
        memset(edge_alloc(ctx, PIECE), 1, PIECE);
}

static json_t *grow_json(void)
{
    json_t *all = json_array();
    for (;;)
        json_array_append_new(all, json_string("one more, and one more after that one"));
    return all;
}

/* Until there is none; nothing of it is ever given back. */
static json_t *take_with_malloc(bool careless)
{
    size_t taken = 0;
    for (;;) {
        char *volatile piece = malloc(PIECE);
        if (piece == NULL && !careless)
            return json_pack("{s:I}", "bytes", (json_int_t)taken);
        memset(piece, 1, PIECE);
        taken += PIECE;
    }
}

static json_t *giant(edge_ctx *ctx)
{
    json_t *all = json_array();
    char *line = edge_alloc(ctx, 64 * 1024 + 1);
    memset(line, 'x', 64 * 1024);
    json_t *text = json_string(line);
    for (int i = 0; i < 10000; i++) /* one value, so that only the answer's text is large */
        json_array_append(all, text);
    return json_pack("{s:o}", "all", all);
}

static json_t *stream(edge_ctx *ctx, int64_t pieces)
{
    static const char piece[64 * 1024] = "gigabytes";
    edge_stream_begin(ctx, 200, "application/octet-stream");
    for (int64_t i = 0; i < pieces; i++)
        edge_stream_bytes(ctx, piece, sizeof piece);
    return NULL;
}

static json_t *hoard(edge_ctx *ctx, json_t *in)
{
    const char *how = edge_json_text(in, "how");
    if (strcmp(how, "arena") == 0)
        take_from_arena(ctx);
    if (strcmp(how, "json") == 0)
        return grow_json();
    if (strcmp(how, "giant") == 0)
        return giant(ctx);
    if (strcmp(how, "stream") == 0)
        return stream(ctx, edge_json_int(in, "pieces", 1));
    return take_with_malloc(strcmp(how, "malloc_crash") == 0);
}

EDGE_FUNCTION(hoard, .summary = "Takes all memory there is", .input = input, .handle = hoard, .streams = true);
