/*
 * slow: waits, streams, fails and fills memory on demand; what happens to a function that does not just answer.
 */
#include <edge/edge.h>

#include <string.h>

static const edge_field input[] = {
    { "ms", EDGE_INT, .min = 0, .max = 60000, .fallback = "0",
        .help = "How long to wait before anything else" },
    { "events", EDGE_INT, .min = 0, .max = 100000, .fallback = "0", .help = "How many events to stream" },
    { "interval", EDGE_INT, .min = 0, .max = 10000, .fallback = "0", .help = "Milliseconds between events" },
    { "bytes", EDGE_INT, .min = 0, .max = 1048576, .fallback = "10", .help = "Size of each event's text" },
    { "fibers", EDGE_INT, .min = 1, .max = 16, .fallback = "1", .help = "How many fibers stream at once" },
    { "allocate", EDGE_INT, .min = 0, .max = 1073741824, .fallback = "0", .help = "Memory to take" },
    { "fail", EDGE_INT, .min = 0, .max = 599, .fallback = "0", .help = "Status to fail with after the rest" },
    { "background", EDGE_INT, .min = 0, .max = 60000, .fallback = "0",
        .help = "Milliseconds of work after the answer" },
    { 0 },
};

static void work_after(edge_ctx *ctx, void *arg)
{
    edge_sleep(ctx, *(int64_t *)arg);
    edge_log(ctx, EDGE_LOG_INFO, "background_done", { "ms", edge_int(*(int64_t *)arg) });
}

static void stream(edge_ctx *ctx, json_t *in)
{
    int64_t count = edge_json_int(in, "events", 0), bytes = edge_json_int(in, "bytes", 0);
    char *text = edge_alloc(ctx, (size_t)bytes + 1);
    memset(text, 'x', (size_t)bytes);
    json_t *event = json_pack("{s:i, s:s}", "n", 0, "text", text);
    for (int64_t i = 0; i < count; i++) {
        json_object_set_new(event, "n", json_integer(i));
        edge_stream_event(ctx, NULL, event);
        if (edge_json_int(in, "interval", 0) > 0)
            edge_sleep(ctx, edge_json_int(in, "interval", 0));
    }
}

static void *stream_beside(edge_ctx *ctx, void *in)
{
    stream(ctx, in);
    return NULL;
}

static void stream_at_once(edge_ctx *ctx, json_t *in)
{
    edge_task *tasks[16];
    int64_t count = edge_json_int(in, "fibers", 1) - 1;
    for (int64_t i = 0; i < count; i++)
        tasks[i] = edge_spawn(ctx, stream_beside, in);
    stream(ctx, in);
    for (int64_t i = 0; i < count; i++)
        edge_await(ctx, tasks[i]);
}

static json_t *slow(edge_ctx *ctx, json_t *in)
{
    if (edge_json_int(in, "ms", 0) > 0)
        edge_sleep(ctx, edge_json_int(in, "ms", 0));
    if (edge_json_int(in, "allocate", 0) > 0)
        edge_alloc(ctx, (size_t)edge_json_int(in, "allocate", 0));
    if (edge_json_int(in, "background", 0) > 0) {
        int64_t *ms = edge_alloc(ctx, sizeof *ms);
        *ms = edge_json_int(in, "background", 0);
        edge_wait_until(ctx, work_after, ms);
    }
    if (edge_json_int(in, "events", 0) > 0)
        stream_at_once(ctx, in);
    if (edge_json_int(in, "fail", 0) >= 400)
        edge_fail(ctx, (int)edge_json_int(in, "fail", 0), "asked_for", "Failing with %d as asked",
            (int)edge_json_int(in, "fail", 0));
    if (edge_stream_started(ctx)) {
        edge_stream_event(ctx, "final", json_pack("{s:b}", "done", 1));
        return NULL;
    }
    return json_pack("{s:b}", "done", 1);
}

EDGE_FUNCTION(slow, .summary = "Waits, streams and fails on demand", .input = input, .handle = slow, .streams = true);
