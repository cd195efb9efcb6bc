/*
 * Who a sales call is made for: what its dialog says of the user.
 */
#ifndef LIB_CALL_AGENT_H
#define LIB_CALL_AGENT_H

#include <edge/edge.h>

/* Members of the dialog's agentData. */
extern const edge_field call_agent_fields[];

/* Adds them to a call's variables; own_number (may be NULL) stands for a number that is not told. */
void call_agent_add_variables(
    edge_ctx *ctx, const json_t *agent_data, const char *own_number, json_t *variables);

#endif
