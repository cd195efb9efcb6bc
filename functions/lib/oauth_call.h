/*
 * Calls of the OAuth client and what their answers mean: shared by oauth_client.c, identity and revocation.
 */
#ifndef LIB_OAUTH_CALL_H
#define LIB_OAUTH_CALL_H

#include "lib/oauth_client.h"

/* Sends once, never repeated; authorization NULL: none. */
EDGE_RETURNS_NONNULL edge_reply *oauth_post(edge_ctx *ctx, const char *provider, const char *path,
    const char *form, const char *authorization, int64_t timeout_ms);
EDGE_RETURNS_NONNULL edge_reply *oauth_get(
    edge_ctx *ctx, const char *provider, const char *path, const char *bearer, int64_t timeout_ms);

/* As oauth_failure, for the exchange of a code: 400, 401 and 403 are 422 "code_rejected" unless we are refused.
 */
const struct connection_failure *oauth_code_failure(
    edge_ctx *ctx, const struct service *service, const edge_reply *reply);

/* 502 for an answer of the right status that lacks what it is there for. */
EDGE_RETURNS_NONNULL const struct connection_failure *oauth_unusable(
    edge_ctx *ctx, const struct service *service, const char *endpoint);

/* A refused refresh is the user's grant gone, not us, the time of day or the provider's trouble. */
bool oauth_refuses_grant(edge_ctx *ctx, const struct service *service, const edge_reply *reply);

/* The words of a list separated by blanks and commas, an array of strings. */
EDGE_RETURNS_NONNULL json_t *oauth_scope_list(edge_ctx *ctx, const char *text);

#endif
