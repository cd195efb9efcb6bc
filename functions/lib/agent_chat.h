/*
 * A chat with an agent that has tools (spec ai.md S5): what its three functions share, which is all but the
 * persona.
 *
 *     EDGE_FUNCTION(executive_assistantChat, .summary = "…", .input = agent_chat_input, …)
 */
#ifndef LIB_AGENT_CHAT_H
#define LIB_AGENT_CHAT_H

#include <edge/edge.h>

#include "lib/persona.h"

extern const edge_field agent_chat_input[], agent_chat_output[];
extern const edge_problem agent_chat_problems[];

/* The whole of a turn; return its result. */
json_t *agent_chat(edge_ctx *ctx, json_t *in, const struct persona *persona);

#endif
