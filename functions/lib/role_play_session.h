/*
 * The rows of a role-play call: its session, and the credits it costs.
 */
#ifndef LIB_ROLE_PLAY_SESSION_H
#define LIB_ROLE_PLAY_SESSION_H

#include "lib/role_play.h"
#include "lib/voice.h"

/* A call that may be made. */
struct role_play_call {
    const char *user, *full_name, *email, *to;
    const char *scenario_id, *scenario_name, *client_persona, *initial_context, *first_message;
    const char *line_id, *agent_id, *voice_id;
    bool is_paid_tier;
};

struct role_play_session {
    const char *id;
    json_t *replay; /* what the earlier call with this idempotency key answers; NULL: go on */
};

/*
 * Opens a session and takes its prepayment, one at a time for a user. 409 "session_in_progress", 402
 * "insufficient_credits".
 */
struct role_play_session role_play_open(
    edge_ctx *ctx, const struct role_play_call *call, const struct role_play_order *order);

/*
 * Writes down what became of the call. One that failed is settled; one that timed out stays open, for the phone
 * may be ringing: the webhook finds it by the session_id among its variables.
 */
void role_play_note(edge_ctx *ctx, const char *id, const struct voice_call *call, const json_t *details);

EDGE_RETURNS_NONNULL json_t *role_play_answer(
    const char *id, const char *conversation_id, const char *call_sid, const char *message);

#endif
