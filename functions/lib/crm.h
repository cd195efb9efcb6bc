/*
 * What the CRM tools share (spec crm.md S1, S2, S7): the shape of their answers, and for whom they act.
 */
#ifndef LIB_CRM_H
#define LIB_CRM_H

#include <edge/edge.h>

#include "lib/tool_output.h"

/* "success": false and a suggestion in every error: an agent's model reads both. */
extern const edge_shape crm_shape;

/* A member of the data of tools that can do less than all of it. */
#define CRM_WARNINGS_FIELD                                                                                     \
    {                                                                                                          \
        "warnings", EDGE_ARRAY, .items = &crm_word, .help = "Codes of what was left out"                       \
    }

extern const edge_field crm_word; /* one word of a list */

/* The answer of a tool: {"success": true, "data": data}, data with the sentence as "message". Steals data. */
json_t *crm_answer(json_t *data, const char *message);

/* The answer of an earlier call with the same idempotency key; takes what that call answered as data. */
json_t *crm_replay(json_t *data);

/* Decimal digits of a provider's id, which comes as an integer or as digits; NULL when it is neither. */
const char *crm_digits(edge_ctx *ctx, const json_t *id);

/*
 * For a function's .check: a text that has to be one of the values, ignoring case, as the list writes it.
 * Another one ends the invocation with 400 "invalid_input".
 */
EDGE_RETURNS_NONNULL json_t *crm_choice(
    edge_ctx *ctx, const edge_field *field, const json_t *value, const char *const *values);

/* Statement whose row is there when the acting user has a profile; $1 is the user. */
#define CRM_PROFILE_SQL "SELECT id, email FROM profiles WHERE id = $1"

/* Ends the invocation with 404 "user_not_found" when that found nothing. */
void crm_require_profile(edge_ctx *ctx, const edge_rows *profile);

/* The same under the service key only: a signed-in user without a profile just has no rows yet. */
void crm_require_named_profile(edge_ctx *ctx, const edge_rows *profile);

#endif
