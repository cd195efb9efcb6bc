/*
 * Cryptography over OpenSSL. Comparing secrets is edge_equal, never strcmp. Nothing here parks.
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

/* Random UUID, version 4 (RFC 9562 5.4); version 5 of a name in the URL or DNS namespace (RFC 9562 5.5). */
EDGE_RETURNS_NONNULL const char *edge_uuid_v4(edge_ctx *ctx);
EDGE_RETURNS_NONNULL const char *edge_uuid_v5_url(edge_ctx *ctx, const char *name);
EDGE_RETURNS_NONNULL const char *edge_uuid_v5_dns(edge_ctx *ctx, const char *name);

/* Encodings (RFC 4648). Decoding answers NULL for anything malformed; length may be NULL. */
EDGE_RETURNS_NONNULL char *edge_base64(edge_ctx *ctx, const void *data, size_t length);
EDGE_RETURNS_NONNULL char *edge_base64url(edge_ctx *ctx, const void *data, size_t length); /* no padding */
EDGE_RETURNS_NONNULL char *edge_hex(edge_ctx *ctx, const void *data, size_t length);       /* lower case */
uint8_t *edge_base64_decode(edge_ctx *ctx, const char *text, size_t *length);
uint8_t *edge_base64url_decode(edge_ctx *ctx, const char *text, size_t *length); /* padding optional */
uint8_t *edge_hex_decode(edge_ctx *ctx, const char *text, size_t *length);

/*
 * Verifies an Ed25519 signature (RFC 8032) of 64 bytes over data. public_key is a SubjectPublicKeyInfo, in PEM
 * or as the bare base64 of its DER form. False for any other signature, and for a key that cannot be read.
 */
bool edge_ed25519_verify(edge_ctx *ctx, const char *public_key, const void *signature, size_t signature_length,
    const void *data, size_t length);

/*
 * Envelopes: what is stored and must not be readable in the database or its backups, as users' tokens.
 *
 *     {"v":1,"alg":"A256GCM","kid":"630dcd29","iv":"<base64>","ct":"<base64>","tag":"<base64>"}
 *
 * AES-256-GCM under EDGE_ENCRYPTION_KEY, which is the host's: no function can read it. aad (text, not stored)
 * says what the envelope belongs to, as "<table>:<user id>:<service>"; with another one it does not open, so
 * it cannot be moved to another row. EDGE_ENCRYPTION_KEY_PREVIOUS, when set, still opens what it has sealed.
 *
 * An invocation that has sealed or opened something has all of its memory wiped when it ends. None of these
 * calls parks.
 */

/*
 * Ends the invocation with 503 "encryption_not_configured" when nothing can be sealed; before any side effect.
 * Secrets are to come: the invocation's memory is wiped as if it had sealed something, however it ends.
 */
void edge_seal_require(edge_ctx *ctx);

/* Whether this host can seal, for what is done only where it can. */
bool edge_seal_available(edge_ctx *ctx);

/* Seals bytes, or a JSON value's text, into a new envelope. Fails as edge_seal_require. */
EDGE_RETURNS_NONNULL json_t *edge_seal(edge_ctx *ctx, const void *plain, size_t length, const char *aad);
EDGE_RETURNS_NONNULL json_t *edge_seal_json(edge_ctx *ctx, const json_t *value, const char *aad);

/*
 * Opens an envelope: its bytes, followed by a NUL that length (may be NULL) does not count, or its JSON value.
 * NULL when it does not open: no envelope, a key that is not here, another aad, changed bytes; for
 * edge_open_json also when it holds no JSON. No key at all ends the invocation: 503
 * "encryption_not_configured".
 *
 *     json_t *tokens = edge_open_json(ctx, credentials, edge_format(ctx, "crm_connections:%s:lofty", user));
 */
char *edge_open(edge_ctx *ctx, const json_t *envelope, const char *aad, size_t *length);
json_t *edge_open_json(edge_ctx *ctx, const json_t *envelope, const char *aad);

#pragma GCC visibility pop

#endif
