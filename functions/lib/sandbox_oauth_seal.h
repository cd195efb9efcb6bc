/*
 * Sealed texts of the authorization servers: shared by sandbox_oauth.c and sandbox_consent.c.
 */
#ifndef LIB_SANDBOX_OAUTH_SEAL_H
#define LIB_SANDBOX_OAUTH_SEAL_H

#include "lib/sandbox_oauth.h"

/* A value as a text that can be read back and not be made up. */
EDGE_RETURNS_NONNULL const char *sandbox_seal(edge_ctx *ctx, const json_t *value);

/* The value, NULL when the text is none of ours; text may be NULL. */
json_t *sandbox_unseal(edge_ctx *ctx, const char *text);

/* True for what looks like one of ours, whatever it is worth. */
bool sandbox_is_sealed(const char *text);

/* A code for the grant that the request's consent gives. */
EDGE_RETURNS_NONNULL const char *sandbox_new_code(
    edge_ctx *ctx, const struct sandbox_oauth *server, const struct sandbox_grant *grant);

#endif
