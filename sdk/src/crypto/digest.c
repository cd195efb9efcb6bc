/*
 * SHA-256, HMAC-SHA256 and comparison in constant time.
 */
#include <edge/crypto.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <stdlib.h>

/* Without memory or with a broken library there is no digest, and no caller could do anything about it. */
static void must(bool done)
{
    if (!done)
        abort();
}

static const EVP_MD *sha256(void)
{
    static EVP_MD *md;
    if (md == NULL) {
        md = EVP_MD_fetch(NULL, "SHA256", NULL);
        must(md != NULL);
    }
    return md;
}

/* The process's one HMAC context: initialising it with a key starts a new computation. */
static EVP_MAC_CTX *hmac_context(void)
{
    static EVP_MAC_CTX *context;
    if (context == NULL) {
        EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
        must(mac != NULL);
        context = EVP_MAC_CTX_new(mac);
        EVP_MAC_free(mac);
        char name[] = "SHA256";
        const OSSL_PARAM digest[] = {
            OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
            OSSL_PARAM_construct_end(),
        };
        must(context != NULL && EVP_MAC_CTX_set_params(context, digest) == 1);
    }
    return context;
}

void edge_sha256(const void *data, size_t length, uint8_t out[32])
{
    must(EVP_Digest(data, length, out, NULL, sha256(), NULL) == 1);
}

void edge_hmac_sha256(const void *key, size_t key_length, const void *data, size_t length, uint8_t out[32])
{
    EVP_MAC_CTX *context = hmac_context();
    size_t written = 0;
    /* A NULL key would mean "the key of the call before". */
    const void *given = key_length > 0 ? key : "";
    must(EVP_MAC_init(context, given, key_length, NULL) == 1);
    must(EVP_MAC_update(context, data, length) == 1);
    must(EVP_MAC_final(context, out, &written, EDGE_SHA256_BYTES) == 1 && written == EDGE_SHA256_BYTES);
}

bool edge_equal(const void *a, size_t a_length, const void *b, size_t b_length)
{
    return a_length == b_length && (a_length == 0 || CRYPTO_memcmp(a, b, a_length) == 0);
}
