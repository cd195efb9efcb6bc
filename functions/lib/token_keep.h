/*
 * What of a grant is kept, and read again: shared by token.c, which refreshes, and the flows that connect.
 */
#ifndef LIB_TOKEN_KEEP_H
#define LIB_TOKEN_KEEP_H

#include "lib/connection.h"
#include "lib/oauth_client.h"

/* Credentials of a new grant (spec oauth.md S6). Members that it lacks come from kept (may be NULL). */
EDGE_RETURNS_NONNULL json_t *token_credentials(
    edge_ctx *ctx, const struct oauth_grant *grant, const json_t *kept);

/*
 * Writes a refreshed grant over the credentials it was made from. A disconnect, or another account that was
 * connected meanwhile, wins: then nothing is written.
 */
void token_keep(const struct connection *connection, const struct oauth_grant *grant);

/* Granted scopes, an array of strings: of the credentials, else of the settings. */
EDGE_RETURNS_NONNULL json_t *token_scopes(const struct connection *connection);

#endif
