/*
 * Cryptography over OpenSSL. Comparing secrets is edge_equal, never strcmp.
 */
#ifndef EDGE_CRYPTO_H
#define EDGE_CRYPTO_H

#include <edge/base.h>

#pragma GCC visibility push(default)

#define EDGE_SHA256_BYTES 32

/* HMAC-SHA256 (RFC 2104) and SHA-256 (FIPS 180-4) into 32 bytes. */
void edge_hmac_sha256(const void *key, size_t key_length, const void *data, size_t length, uint8_t out[32]);
void edge_sha256(const void *data, size_t length, uint8_t out[32]);

/* True when both have the same length and bytes; takes the same time wherever they differ. */
bool edge_equal(const void *a, size_t a_length, const void *b, size_t b_length);

/* length random bytes from the system's generator. */
void edge_random(void *out, size_t length);

/* Random UUID, version 4 (RFC 9562 5.4); version 5 of a name in the URL namespace (RFC 9562 5.5). */
EDGE_RETURNS_NONNULL const char *edge_uuid_v4(edge_ctx *ctx);
EDGE_RETURNS_NONNULL const char *edge_uuid_v5_url(edge_ctx *ctx, const char *name);

/* Encodings (RFC 4648). Decoding answers NULL for anything malformed; length may be NULL. */
EDGE_RETURNS_NONNULL char *edge_base64(edge_ctx *ctx, const void *data, size_t length);
EDGE_RETURNS_NONNULL char *edge_base64url(edge_ctx *ctx, const void *data, size_t length); /* no padding */
EDGE_RETURNS_NONNULL char *edge_hex(edge_ctx *ctx, const void *data, size_t length);       /* lower case */
uint8_t *edge_base64_decode(edge_ctx *ctx, const char *text, size_t *length);
uint8_t *edge_base64url_decode(edge_ctx *ctx, const char *text, size_t *length); /* padding optional */
uint8_t *edge_hex_decode(edge_ctx *ctx, const char *text, size_t *length);

#pragma GCC visibility pop

#endif
