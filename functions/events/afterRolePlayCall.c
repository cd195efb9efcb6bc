/*
 * afterRolePlayCall: the durable job that follows a training call: has it evaluated. What goes wrong there is
 * written to the session, and is no reason to try again: the user can ask for the evaluation at any time.
 */
#include <edge/edge.h>

#include "lib/text.h"

enum {
    EVALUATION_MS = 150000, /* two questions to the model */
    ERROR_MAX = 300,
};

static const edge_field input[] = {
    { "sessionId", EDGE_UUID, .required = true, .help = "Session that has ended" },
    { 0 },
};

static const edge_field output[] = {
    { "success", EDGE_BOOL, .required = true, .help = "true" },
    { "evaluated", EDGE_BOOL, .required = true,
        .help = "Whether there is a report; else the session says why not" },
    { 0 },
};

static json_t *after_role_play(edge_ctx *ctx, json_t *in)
{
    const char *id = edge_json_text(in, "sessionId");
    edge_answer *answer = edge_invoke(ctx, "analyzeRolePlaySession", json_pack("{s:s}", "sessionId", id),
        .timeout_ms = EVALUATION_MS, .service = true);
    bool done = answer->status < 400;
    const char *said = done ? "" : edge_json_text(answer->body, "error");
    if (!done)
        edge_service_query(ctx,
            "UPDATE role_play_session_logs"
            " SET metadata = coalesce(metadata, '{}') || jsonb_build_object('analysis_error', $2)"
            " WHERE id = $1",
            edge_uuid(id), edge_text(text_cut(ctx, edge_format(ctx, "%s: %s", answer->code, said), ERROR_MAX)));
    return json_pack("{s:b, s:b}", "success", 1, "evaluated", done);
}

EDGE_FUNCTION(afterRolePlayCall,
    .summary = "Has a training call evaluated once it has ended",
    .input = input,
    .output = output,
    .handle = after_role_play,
    .service_without_user = true);
