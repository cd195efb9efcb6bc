/*
 * One round of tool calls (spec ai.md S5): all at once where their order does not matter, each with its own
 * limits, reported to the client as they begin and end, written down together when all have ended.
 */
#ifndef LIB_TOOL_ROUND_H
#define LIB_TOOL_ROUND_H

#include <edge/edge.h>

#include "lib/chat_stream.h"
#include "lib/persona.h"

struct tool_round {
    edge_ctx *ctx;
    const struct persona *persona;
    const edge_rows *permissions;
    struct chat_stream *stream;
    json_t *messages; /* the assistant's message and the tools' answers are appended */
    json_t *entries;  /* toolCalls of the whole turn; this round's are appended */
    int number;       /* 0, 1, … */
};

/* Runs the calls that the gateway's answer asks for. What fails in it is told to the model. Parks. */
void tool_round_run(struct tool_round *round, const struct gateway_answer *answer);

#endif
