/*
 * A call to the AI gateway under way: shared by gateway.c, which asks, and gateway_read.c, which reads.
 */
#ifndef LIB_GATEWAY_CALL_H
#define LIB_GATEWAY_CALL_H

#include "lib/gateway.h"
#include "lib/text.h"

struct gateway_call {
    edge_ctx *ctx;
    edge_reply *reply;
    bool streaming; /* the gateway answers in deltas */
    bool complete;  /* all there is has been read */
    struct text content;
    struct gateway_answer answer;
};

/* The answer is no chat completion. */
void gateway_note_unusable(struct gateway_call *call, const char *why);

/* The connection or the stream ended too early; no failure when that is because the client has left. */
void gateway_note_broken(struct gateway_call *call);

/* The gateway reported an error inside a stream. */
void gateway_note_error(struct gateway_call *call, json_t *error);

#endif
