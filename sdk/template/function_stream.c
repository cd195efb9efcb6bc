/*
 * @NAME@: counts down in server-sent events, one a step.
 *
 * Database round trips: none.
 */
#include <edge/edge.h>

static const edge_field input[] = {
    { "from", EDGE_INT, .min = 1, .max = 1000, .fallback = "3", .help = "Where to begin" },
    { "pauseMs", EDGE_INT, .min = 0, .max = 10000, .fallback = "0", .help = "Milliseconds between two steps" },
    { 0 },
};

/* A client that leaves ends it at the next event or pause; one that reads slowly parks it. */
static json_t *handle(edge_ctx *ctx, json_t *in)
{
    for (int64_t left = edge_json_int(in, "from", 3); left > 0; left--) {
        json_t *event = json_pack("{s:I}", "left", (json_int_t)left);
        edge_stream_event(ctx, "tick", event);
        json_decref(event);
        edge_sleep(ctx, edge_json_int(in, "pauseMs", 0));
    }
    edge_stream_event(ctx, "done", json_object());
    return NULL;
}

EDGE_FUNCTION(@NAME@,
    .summary = "Counts down in server-sent events",
    .input = input,
    .handle = handle,
    .streams = true);
