/*
 * JSON Web Tokens (RFC 7519) with HS256 in compact form, for what the host signs for itself.
 */
#ifndef CRYPTO_JWS_H
#define CRYPTO_JWS_H

#include <edge/base.h>

EDGE_RETURNS_NONNULL const char *jws_sign(
    edge_ctx *ctx, const json_t *payload, const void *key, size_t key_length);

/* The payload, an object, or NULL for anything that the key has not signed. Its times are not looked at. */
json_t *jws_verify(edge_ctx *ctx, const char *token, const void *key, size_t key_length);

#endif
