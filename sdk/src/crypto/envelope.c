/*
 * AES-256-GCM envelopes. An invocation that has seen a plain text has its memory wiped when it ends.
 */
#include "crypto/envelope.h"

#include "crypto/keys.h"

#include <context.h>

#include <edge/json.h>

#include <limits.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

/* Without memory or with a broken library there is no cipher, and no caller could do anything about it. */
static void must(bool done)
{
    if (!done)
        abort();
}

static const EVP_CIPHER *aes_256_gcm(void)
{
    static EVP_CIPHER *cipher;
    if (cipher == NULL) {
        cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
        must(cipher != NULL);
    }
    return cipher;
}

EDGE_NORETURN static void no_key(edge_ctx *ctx)
{
    edge_fail(ctx, 503, "encryption_not_configured", "EDGE_ENCRYPTION_KEY is not configured");
}

static const struct seal_key *sealing_key(edge_ctx *ctx)
{
    const struct seal_key *key = keys_current();
    if (key == NULL)
        no_key(ctx);
    return key;
}

void edge_seal_require(edge_ctx *ctx)
{
    sealing_key(ctx);
    ctx->arena.wipe = true;
}

bool edge_seal_available(edge_ctx *ctx)
{
    (void)ctx;
    return keys_current() != NULL;
}

/* The cipher's context, initialised, with the additional data taken in; freeing it wipes the key's schedule. */
static EVP_CIPHER_CTX *begin(const struct seal_key *key, const uint8_t *iv, const char *aad, int encrypt)
{
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    int taken = 0;
    must(cipher != NULL && EVP_CipherInit_ex2(cipher, aes_256_gcm(), key->bytes, iv, encrypt, NULL) == 1);
    must(EVP_CipherUpdate(cipher, NULL, &taken, (const uint8_t *)aad, (int)strlen(aad)) == 1);
    return cipher;
}

static void encrypt(EVP_CIPHER_CTX *cipher, const void *plain, size_t length, uint8_t *out, uint8_t *tag)
{
    int written = 0, rest = 0;
    must(EVP_CipherUpdate(cipher, out, &written, plain, (int)length) == 1);
    must(EVP_CipherFinal_ex(cipher, out + written, &rest) == 1);
    must(EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG_BYTES, tag) == 1);
    EVP_CIPHER_CTX_free(cipher);
}

json_t *envelope_seal(
    edge_ctx *ctx, const void *plain, size_t length, const char *aad, const uint8_t iv[SEAL_IV_BYTES])
{
    const struct seal_key *key = sealing_key(ctx);
    if (length > INT_MAX - EVP_MAX_BLOCK_LENGTH)
        edge_fail(ctx, 500, "internal_error", "The text to seal is too long");
    ctx->arena.wipe = true;
    uint8_t *sealed = edge_alloc(ctx, length + EVP_MAX_BLOCK_LENGTH), tag[SEAL_TAG_BYTES];
    encrypt(begin(key, iv, aad, 1), plain, length, sealed, tag);
    json_t *envelope = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s}", "v", 1, "alg", "A256GCM", "kid", key->kid,
        "iv", edge_base64(ctx, iv, SEAL_IV_BYTES), "ct", edge_base64(ctx, sealed, length), "tag",
        edge_base64(ctx, tag, sizeof tag));
    if (envelope == NULL)
        edge_fail(ctx, 500, "memory_limit", "The function needs more memory than its limit");
    return envelope;
}

json_t *edge_seal(edge_ctx *ctx, const void *plain, size_t length, const char *aad)
{
    uint8_t iv[SEAL_IV_BYTES];
    edge_random(iv, sizeof iv);
    return envelope_seal(ctx, plain, length, aad, iv);
}

json_t *edge_seal_json(edge_ctx *ctx, const json_t *value, const char *aad)
{
    ctx->arena.wipe = true;
    size_t length = 0;
    const char *plain = edge_json_dump(ctx, value, &length);
    return edge_seal(ctx, plain, length, aad);
}

/* A member's bytes, NULL unless it is base64 of exactly size of them (0: any number). */
static const uint8_t *member(
    edge_ctx *ctx, const json_t *envelope, const char *name, size_t size, size_t *length)
{
    const char *text = edge_json_text(envelope, name);
    uint8_t *bytes = text != NULL ? edge_base64_decode(ctx, text, length) : NULL;
    return bytes != NULL && (size == 0 || *length == size) ? bytes : NULL;
}

static const struct seal_key *key_of(const json_t *envelope)
{
    const char *alg = edge_json_text(envelope, "alg"), *kid = edge_json_text(envelope, "kid");
    if (json_object_size(envelope) != 6 || edge_json_int(envelope, "v", 0) != 1 || alg == NULL || kid == NULL ||
        strcmp(alg, "A256GCM") != 0)
        return NULL;
    return keys_find(kid);
}

static bool decrypt(EVP_CIPHER_CTX *cipher, const uint8_t *sealed, size_t length, const uint8_t *tag, char *out)
{
    int written = 0, rest = 0;
    bool good = EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, SEAL_TAG_BYTES, (void *)tag) == 1 &&
                EVP_CipherUpdate(cipher, (uint8_t *)out, &written, sealed, (int)length) == 1 &&
                EVP_CipherFinal_ex(cipher, (uint8_t *)out + written, &rest) == 1;
    EVP_CIPHER_CTX_free(cipher);
    return good;
}

char *edge_open(edge_ctx *ctx, const json_t *envelope, const char *aad, size_t *length)
{
    if (!keys_any())
        no_key(ctx);
    size_t iv_length = 0, tag_length = 0, sealed_length = 0;
    const struct seal_key *key = key_of(envelope);
    const uint8_t *iv = member(ctx, envelope, "iv", SEAL_IV_BYTES, &iv_length);
    const uint8_t *tag = member(ctx, envelope, "tag", SEAL_TAG_BYTES, &tag_length);
    const uint8_t *sealed = member(ctx, envelope, "ct", 0, &sealed_length);
    if (key == NULL || iv == NULL || tag == NULL || sealed == NULL || sealed_length > INT_MAX / 2)
        return NULL;

    ctx->arena.wipe = true;
    char *plain = edge_alloc(ctx, sealed_length + EVP_MAX_BLOCK_LENGTH);
    if (!decrypt(begin(key, iv, aad, 0), sealed, sealed_length, tag, plain)) {
        memset(plain, 0, sealed_length); /* what does not authenticate is nobody's to read */
        return NULL;
    }
    plain[sealed_length] = '\0';
    if (length != NULL)
        *length = sealed_length;
    return plain;
}

json_t *edge_open_json(edge_ctx *ctx, const json_t *envelope, const char *aad)
{
    size_t length = 0;
    const char *plain = edge_open(ctx, envelope, aad, &length);
    return plain != NULL ? edge_json_parse(ctx, plain, length) : NULL;
}
