/*
 * The lines of a role play, as the page sends them and as the model gets them.
 */
#ifndef LIB_ROLE_PLAY_TURNS_H
#define LIB_ROLE_PLAY_TURNS_H

#include <edge/edge.h>

/*
 * The last 30 lines as {role, content}: the agent is the user, the client the assistant; agentResponse is the
 * last one. 400 "invalid_input", field agentResponse, when there are lines and the client has said the last.
 */
EDGE_RETURNS_NONNULL json_t *role_play_lines(edge_ctx *ctx, json_t *in);

/* The lines as a text to be read, "Agent: …" and "Client: …". */
EDGE_RETURNS_NONNULL const char *role_play_lines_text(edge_ctx *ctx, json_t *lines);

#endif
