/*
 * A turn of a stored conversation (spec ai.md S6): which conversation, whether it was answered before, what the
 * model is told of its past, and how the turn is kept.
 *
 *   conversation_begin -> conversation_claim -> persona_read -> conversation_open -> the gateway
 *       -> conversation_store, or conversation_fail
 *
 * A turn that may meet itself holds a lease on its conversation: one with an idempotency key (a retry may come
 * while the first try runs) and one over a WebSocket (one turn at a time, spec README 16). Turns of two browser
 * tabs need none: storing appends inside SQL.
 */
#ifndef LIB_CONVERSATION_H
#define LIB_CONVERSATION_H

#include <edge/edge.h>

#include "lib/gateway.h"
#include "lib/lease.h"
#include "lib/persona.h"

/* Members of a turn's answer that say in what way it is not a usual one. */
#define CONVERSATION_FIELDS                                                                                    \
    { "partial", EDGE_BOOL, .help = "true: it ended early" },                                                  \
    {                                                                                                          \
        "replayed", EDGE_BOOL, .help = "true: the answer of an earlier call with this idempotency key"         \
    }

struct turn {
    edge_ctx *ctx;
    const struct persona *persona;
    const char *id;      /* of the conversation, also of one that is still to be made */
    bool existing;       /* the client named it: it must be there */
    const char *key;     /* the client's idempotency key, NULL without */
    bool exclusive;      /* the turn needs the conversation for itself */
    struct lease *lease; /* NULL: not needed, or somebody else's */
    json_t *stored;      /* messages so far, an array; NULL: none */
};

/* Reads conversationId and the idempotency key; touches nothing. */
EDGE_RETURNS_NONNULL struct turn *conversation_begin(edge_ctx *ctx, const struct persona *persona, json_t *in);

/* Takes the lease when the turn needs one; whether somebody else holds it matters in conversation_open only. */
void conversation_claim(struct turn *turn);

/*
 * Looks at the row that persona_read found. Returns the body of the answer when this key has been answered
 * before, else NULL. Ends the invocation with 404 "conversation_not_found", 409 "conversation_agent_mismatch",
 * or 409 "turn_in_progress".
 */
json_t *conversation_open(struct turn *turn, const edge_rows *row);

/*
 * What the model is sent: the system message (stolen), the last messages of given (an array, may be NULL) or
 * else of what is stored, and the prompt.
 */
EDGE_RETURNS_NONNULL json_t *conversation_messages(
    struct turn *turn, json_t *system, json_t *given, const char *prompt);

/* What a finished turn adds. */
struct exchange {
    const char *prompt, *answer;
    json_t *tool_calls; /* NULL or empty: none */
    json_t *context;    /* object, merged into the conversation's */
    bool partial;       /* the client left before the answer was complete */
};

/* Appends both messages in one statement and gives the turn back; 500 "storage_failed" when that fails. */
void conversation_store(struct turn *turn, const struct exchange *exchange);

/* The same for a turn whose tools have had their effects: false when it could not be stored. */
EDGE_MUST_USE bool conversation_try_store(struct turn *turn, const struct exchange *exchange);

/* Gives the turn back and ends the invocation: a client that tries again at once must not meet its own lease.
 */
EDGE_NORETURN void conversation_fail(struct turn *turn, const struct gateway_failure *failure);

#endif
