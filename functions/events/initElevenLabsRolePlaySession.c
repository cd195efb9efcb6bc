/*
 * initElevenLabsRolePlaySession: starts a training call to the caller's own phone, for API clients and test
 * tools. Credits are taken afterwards, by the minute; to begin five of them have to be there.
 *
 * Three round trips to the database around one call of ElevenLabs: the reads as the user, the session and what
 * became of it as the service. A user has one such call at a time.
 */
#include <edge/edge.h>

#include "lib/idempotency.h"
#include "lib/role_play.h"

static const edge_field input[] = {
    { "userId", EDGE_USER, .help = "The caller's own id" },
    { "scenarioId", EDGE_UUID, .required = true, .help = "Scenario to practise" },
    { "idempotencyKey", EDGE_TEXT, .help = "A repeated call with it answers the first one's session" },
    { 0 },
};

static json_t *init_role_play(edge_ctx *ctx, json_t *in)
{
    return role_play_start(ctx, &(const struct role_play_order){
                                    .scenario_id = edge_json_text(in, "scenarioId"),
                                    .key = idempotency_key(ctx, in),
                                });
}

EDGE_FUNCTION(initElevenLabsRolePlaySession,
    .summary = "Starts a training call to the caller's phone",
    .input = input,
    .output = role_play_output,
    .handle = init_role_play,
    .shape = &role_play_shape);
