/*
 * schedule_run: a scheduled function that leaves a trace of each run, and takes a moment for it.
 */
#include <edge/edge.h>

static json_t *schedule_run(edge_ctx *ctx, json_t *in)
{
    edge_sleep(ctx, 100);
    edge_service_query(ctx,
        "INSERT INTO edge.traces (label, caller, acting_user, body, ended_at)"
        " VALUES ('schedule', $1, $2, $3, clock_timestamp())",
        edge_int(edge_auth_caller(ctx)), edge_text(edge_auth_try_user(ctx)), edge_json(in));
    return json_pack("{s:b}", "done", 1);
}

EDGE_FUNCTION(schedule_run, .summary = "Leaves a trace of each run", .handle = schedule_run);
