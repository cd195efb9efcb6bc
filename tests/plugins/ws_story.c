/*
 * ws_story: streams pieces until it is done or its client has gone, and ends the stream as it is told to.
 */
#include <edge/edge.h>

#include <string.h>

static const char *const endings[] = { "sends", "returns", "nothing", "fails", NULL };

static const edge_field input[] = {
    { "pieces", EDGE_INT, .min = 0, .max = 100000, .fallback = "3", .help = "How many pieces the story has" },
    { "interval", EDGE_INT, .min = 0, .max = 10000, .fallback = "0", .help = "Milliseconds before each" },
    { "bytes", EDGE_INT, .min = 1, .max = 1048576, .fallback = "10", .help = "Size of each piece" },
    { "ending", EDGE_ENUM, .values = endings, .fallback = "sends", .help = "Where the last word is said" },
    { 0 },
};

/* Returns how many pieces were told. */
static int64_t tell(edge_ctx *ctx, json_t *in)
{
    int64_t pieces = edge_json_int(in, "pieces", 0), bytes = edge_json_int(in, "bytes", 1);
    char *text = edge_alloc(ctx, (size_t)bytes + 1);
    memset(text, 'x', (size_t)bytes);
    for (int64_t i = 0; i < pieces; i++) {
        if (edge_json_int(in, "interval", 0) > 0)
            edge_sleep(ctx, edge_json_int(in, "interval", 0));
        if (edge_client_gone(ctx))
            return i;
        json_t *piece = json_pack("{s:I, s:s}", "piece", (json_int_t)i, "text", text);
        edge_stream_event(ctx, NULL, piece);
        json_decref(piece);
    }
    return pieces;
}

static json_t *ws_story(edge_ctx *ctx, json_t *in)
{
    const char *ending = edge_json_text(in, "ending");
    edge_stream_event(ctx, "tool", json_pack("{s:s}", "status", "started"));
    int64_t told = tell(ctx, in);
    json_t *end = json_pack("{s:I, s:b}", "told", (json_int_t)told, "partial", edge_client_gone(ctx));
    edge_log(ctx, EDGE_LOG_INFO, "story_told", { "pieces", edge_int(told) },
        { "clientGone", edge_bool(edge_client_gone(ctx)) });

    if (strcmp(ending, "fails") == 0)
        edge_fail(ctx, 409, "story_failed", "The story has no end");
    if (strcmp(ending, "returns") == 0)
        return end;
    if (strcmp(ending, "sends") == 0)
        edge_stream_event(ctx, "final", end);
    return NULL;
}

EDGE_FUNCTION(ws_story,
    .summary = "Tells a story in pieces",
    .input = input,
    .handle = ws_story,
    .streams = true);
