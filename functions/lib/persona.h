/*
 * Who a chat agent is and what it knows about the user: its system message (spec ai.md S3).
 *
 * Everything it reads comes in one round trip: each statement stands alone, so one that fails costs its line
 * and nothing else.
 */
#ifndef LIB_PERSONA_H
#define LIB_PERSONA_H

#include <edge/edge.h>

#include "lib/tools.h"

struct persona {
    const char *agent_type; /* as in ai_agent_conversations, agent_config …, and the key in ai_prompt_configs */
    const char *prompt;     /* the built-in text */
    size_t history_max;     /* how many earlier messages the model gets */
    int64_t turn_seconds;   /* no turn takes longer: more than the limit of its function */
    const struct toolset *tools; /* NULL: none */
    bool knows_progress;         /* goals, actions, scores */
    bool knows_deals;            /* the user's open transactions */
};

extern const struct persona persona_copilot, persona_assistant, persona_content, persona_transactions;

/* What was read before a turn. A member is NULL when its statement failed or was not sent. */
struct persona_reads {
    edge_rows *conversation; /* of the id given: agent_type, messages; never NULL */
    edge_rows *prompt, *preferences, *local_time, *agent, *guidelines, *knowledge;
    edge_rows *profile, *market;         /* only with_account */
    edge_rows *goals, *actions, *scores; /* only with_account, for a persona that knows_progress */
    edge_rows *services, *crms;          /* connected ones, for a persona with tools */
    edge_rows *permissions;              /* those withheld; never NULL for a persona with tools */
    edge_rows *deals;                    /* for a persona that knows_deals */
};

/*
 * Reads the conversation (id NULL: no row) and what the system message says about the user; with_account adds
 * what a client may bring along instead. A conversation, or permissions, that cannot be read end the
 * invocation.
 */
EDGE_RETURNS_NONNULL const struct persona_reads *persona_read(
    edge_ctx *ctx, const struct persona *persona, const char *conversation_id, bool with_account);

/*
 * The system message's text, a JSON string. focus is the persona's own addition; agent_context, when given,
 * stands for the account.
 */
EDGE_RETURNS_NONNULL json_t *persona_system(edge_ctx *ctx, const struct persona *persona,
    const struct persona_reads *reads, const char *focus, json_t *agent_context);

#endif
