/*
 * One question to the AI gateway that is answered in one piece, and what such functions do with it.
 */
#ifndef LIB_COMPLETION_H
#define LIB_COMPLETION_H

#include <edge/edge.h>

#include "lib/gateway.h"

/* The error answers of functions that make one piece of content: success false, and what to try. */
extern const edge_shape completion_shape;

/* Asks and parks until the answer is whole. A failure of the gateway's ends the invocation with it. */
EDGE_RETURNS_NONNULL const struct gateway_answer *completion_ask(edge_ctx *ctx, const struct gateway_ask *ask);

/* As completion_ask, but a failure is the answer's own. */
EDGE_RETURNS_NONNULL const struct gateway_answer *completion_try(edge_ctx *ctx, const struct gateway_ask *ask);

/* The messages of a question: a system message and the user's. */
EDGE_RETURNS_NONNULL json_t *completion_messages(const char *system, const char *user);

/*
 * The settings that make the model call one function: tools and tool_choice. parameters is its JSON schema
 * (stolen).
 */
EDGE_RETURNS_NONNULL json_t *completion_forced_call(const char *name, const char *purpose, json_t *parameters);

/*
 * The arguments of the answer's first tool call; without one, the content as JSON. NULL when neither is a JSON
 * object.
 */
json_t *completion_arguments(edge_ctx *ctx, const struct gateway_answer *answer);

/* Text as JSON, out of the one Markdown code fence that models like to put around it; NULL when it is none. */
json_t *completion_json(edge_ctx *ctx, const char *text);

/* A copy of text without white space at its ends. */
EDGE_RETURNS_NONNULL const char *completion_trim(edge_ctx *ctx, const char *text);

#endif
