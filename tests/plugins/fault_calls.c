/*
 * fault_calls: four calls to a provider, one of them in an open transaction and read as a stream, the last two
 * at once. Whichever fails, both rows are written or none.
 */
#include <edge/edge.h>

#define PATH "/v1/chat/completions"

static const edge_field input[] = {
    { "id", EDGE_TEXT, .min = 1, .max = 100, .required = true, .help = "What the rows are named after" },
    { 0 },
};

static json_t *question(bool stream)
{
    return json_pack("{s:s, s:b, s:[{s:s, s:s}]}", "model", "google/gemini-2.5-flash", "stream", (int)stream,
        "messages", "role", "user", "content", "How do I win listings?");
}

static void record(edge_tx *tx, const char *id, const char *which)
{
    edge_tx_query(tx,
        "INSERT INTO edge.webhook_events (provider, event_id)"
        " VALUES ('fault_calls', $1 || $2)",
        edge_text(id), edge_text(which));
}

static int64_t read_stream(edge_ctx *ctx)
{
    int64_t count = 0;
    edge_reply *stream =
        edge_fetch_stream(ctx, "lovable_ai", .method = "POST", .path = PATH, .json = question(true));
    edge_reply_check(ctx, stream);
    while (edge_reply_event(ctx, stream) != NULL)
        count++;
    edge_reply_check(ctx, stream);
    return count;
}

static json_t *fault_calls(edge_ctx *ctx, json_t *in)
{
    const char *id = edge_json_text(in, "id");
    int64_t events = 0;
    edge_fetch(ctx, "lovable_ai", .method = "POST", .path = PATH, .json = question(false));

    EDGE_TRANSACTION(ctx, tx, .service = true)
    {
        record(tx, id, "/before");
        events = read_stream(ctx);
        record(tx, id, "/after");
    }

    edge_reply *replies[2];
    edge_fetch_all(ctx, replies,
        EDGE_CALL("lovable_ai", .method = "POST", .path = PATH, .json = question(false)),
        EDGE_CALL("lovable_ai", .method = "POST", .path = PATH, .json = question(false)));
    edge_reply_check(ctx, replies[0]);
    edge_reply_check(ctx, replies[1]);
    return json_pack("{s:I}", "events", (json_int_t)events);
}

EDGE_FUNCTION(fault_calls, .summary = "Calls a provider four times", .input = input, .handle = fault_calls);
