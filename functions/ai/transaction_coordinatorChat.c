/*
 * transaction_coordinatorChat: a turn with VEGA, the transaction coordinator: the user's deals, SkySlope,
 * Lofty, Follow Up Boss. The turn itself is lib/agent_chat.
 *
 * Runs on after the client has left (on_disconnect = "finish" in functions.toml): tools that are running end,
 * and what was said and done is kept.
 */
#include "lib/agent_chat.h"

static json_t *chat(edge_ctx *ctx, json_t *in)
{
    return agent_chat(ctx, in, &persona_transactions);
}

EDGE_FUNCTION(transaction_coordinatorChat,
    .summary = "A chat with VEGA, the transaction coordinator",
    .input = agent_chat_input,
    .output = agent_chat_output,
    .handle = chat,
    .streams = true,
    .problems = agent_chat_problems);
