/*
 * job_work: a job's function that leaves traces in the table "traces" of the test's database.
 *
 * A trace is added when it begins and closed when it ends, so a test sees what ran when, and what never ended.
 */
#include <edge/edge.h>

static const edge_field input[] = {
    { "userId", EDGE_USER, .help = "Acting user" },
    { "label", EDGE_TEXT, .fallback = "", .help = "Name of the trace" },
    { "ms", EDGE_INT, .min = 0, .max = 600000, .fallback = "0", .help = "How long it takes" },
    { "fail", EDGE_INT, .min = 0, .max = 599, .fallback = "0", .help = "Status to fail with" },
    { "failures", EDGE_INT, .min = 0, .max = 100, .fallback = "100", .help = "How often it fails" },
    { 0 },
};

static json_t *job_work(edge_ctx *ctx, json_t *in)
{
    const char *label = edge_json_text(in, "label");
    edge_rows *trace = edge_service_query(ctx,
        "INSERT INTO edge.traces (label, caller, acting_user, body)"
        " VALUES ($1, $2, $3, $4) RETURNING id,"
        " (SELECT count(*) FROM edge.traces WHERE label = $1) AS earlier",
        edge_text(label), edge_int(edge_auth_caller(ctx)), edge_text(edge_auth_try_user(ctx)), edge_json(in));
    if (edge_json_int(in, "ms", 0) > 0)
        edge_sleep(ctx, edge_json_int(in, "ms", 0));
    if (edge_json_int(in, "fail", 0) >= 400 &&
        edge_rows_int(trace, 0, "earlier") < edge_json_int(in, "failures", 0))
        edge_fail(ctx, (int)edge_json_int(in, "fail", 0), "asked_for", "Failing as asked");
    edge_service_query(ctx, "UPDATE edge.traces SET ended_at = clock_timestamp() WHERE id = $1",
        edge_int(edge_rows_int(trace, 0, "id")));
    return json_pack("{s:b}", "done", 1);
}

EDGE_FUNCTION(job_work, .summary = "Leaves traces in the database", .input = input, .handle = job_work,
    .service_without_user = true);
