/*
 * initiateRolePlayCall: the role-play page starts a training call to the caller's own phone. The page has taken
 * ten credits just before; that payment is found and used, or ten are taken here, and a call that does not come
 * about gives them back.
 *
 * Three round trips to the database around one call of ElevenLabs, as initElevenLabsRolePlaySession.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/idempotency.h"
#include "lib/role_play.h"

static const char *const scenario_aliases[] = { "scenarioId", NULL };

static const edge_field input[] = {
    { "userId", EDGE_USER, .help = "The caller's own id" },
    { "user_id", EDGE_TEXT, .max = 255, .help = "The same, as the page calls it" },
    { "scenario_id", EDGE_UUID, .required = true, .aliases = scenario_aliases, .help = "Scenario to practise" },
    { "user_phone", EDGE_TEXT, .max = 64,
        .help = "The caller's number; another one than the profile's is refused" },
    { "idempotencyKey", EDGE_TEXT, .help = "A repeated call with it answers the first one's session" },
    { 0 },
};

static json_t *initiate_role_play(edge_ctx *ctx, json_t *in)
{
    const char *named = edge_json_text(in, "user_id");
    if (named != NULL && strcmp(named, edge_auth_user(ctx)) != 0)
        edge_fail(ctx, 403, "user_mismatch", "user_id is another user's");

    return role_play_start(ctx, &(const struct role_play_order){
                                    .scenario_id = edge_json_text(in, "scenario_id"),
                                    .key = idempotency_key(ctx, in),
                                    .phone = edge_json_text(in, "user_phone"),
                                    .prepaid = true,
                                });
}

EDGE_FUNCTION(initiateRolePlayCall,
    .summary = "Starts a training call from the role-play page, paid in advance",
    .input = input,
    .output = role_play_output,
    .handle = initiate_role_play,
    .shape = &role_play_shape);
