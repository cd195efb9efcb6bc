/*
 * db_pipeline: three queries, sent together or one after the other; what the round trips cost is measured with
 * it.
 */
#include <edge/edge.h>

static const edge_field input[] = {
    { "together", EDGE_BOOL, .required = true, .help = "In one round trip instead of three" },
    { "repeat", EDGE_INT, .min = 1, .max = 10000, .fallback = "1", .help = "How often" },
    { 0 },
};

#define FIRST "SELECT $1 AS v"
#define SECOND "SELECT $1 * 2 AS v"
#define THIRD "SELECT $1 * 3 AS v"

static int64_t ask(edge_ctx *ctx, bool together, int64_t n)
{
    edge_rows *rows[3];
    if (together) {
        edge_query_batch(ctx, rows, EDGE_SQL(FIRST, edge_int(n)), EDGE_SQL(SECOND, edge_int(n)),
            EDGE_SQL(THIRD, edge_int(n)));
    } else {
        rows[0] = edge_query(ctx, FIRST, edge_int(n));
        rows[1] = edge_query(ctx, SECOND, edge_int(n));
        rows[2] = edge_query(ctx, THIRD, edge_int(n));
    }
    int64_t sum = 0;
    for (int i = 0; i < 3; i++)
        sum += edge_rows_int(rows[i], 0, "v");
    return sum;
}

static json_t *db_pipeline(edge_ctx *ctx, json_t *in)
{
    bool together = edge_json_bool(in, "together", false);
    int64_t sum = 0, started = edge_now_exact();
    for (int64_t i = 0; i < edge_json_int(in, "repeat", 1); i++)
        sum += ask(ctx, together, i % 100);
    return json_pack(
        "{s:I, s:I}", "sum", (json_int_t)sum, "microseconds", (json_int_t)(edge_now_exact() - started));
}

EDGE_FUNCTION(db_pipeline,
    .summary = "Asks three questions of the database",
    .input = input,
    .handle = db_pipeline);
