/*
 * Role-play calls (spec events.md S8): a training call to the user's own phone, the credits it costs, and how
 * one that did not come about is settled.
 */
#ifndef LIB_ROLE_PLAY_H
#define LIB_ROLE_PLAY_H

#include <edge/edge.h>

/* "success": false in every error. */
extern const edge_shape role_play_shape;

struct role_play_order {
    const char *scenario_id;
    const char *key;   /* of idempotency; NULL without */
    const char *phone; /* that the caller believes to be theirs; NULL: not told */
    bool prepaid;      /* the page pays ten credits; else five have to be there */
};

/* What both functions answer that start a call. */
extern const edge_field role_play_output[];

/* Starts a call for the acting user: the function's answer. */
EDGE_RETURNS_NONNULL json_t *role_play_start(edge_ctx *ctx, const struct role_play_order *order);

/*
 * Ends a session that never became a conversation, once: patch is merged into its metadata, and what was paid
 * beforehand is given back. False when it had got further already. from: the statuses it may have.
 */
bool role_play_fail(edge_ctx *ctx, edge_tx *tx, const char *session_id, const json_t *patch,
    const char *const *from, size_t count);

#endif
