/*
 * Signatures of others: Ed25519 (RFC 8032).
 */
#include <context.h>

#include <edge/crypto.h>
#include <edge/log.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

struct verification {
    const char *pem;
    const uint8_t *der;
    size_t der_length;
    const void *signature, *data;
    size_t signature_length, length;
    bool key_read, good;
};

static EVP_PKEY *read_key(const struct verification *verification)
{
    EVP_PKEY *key = NULL;
    if (verification->pem != NULL) {
        BIO *bio = BIO_new_mem_buf(verification->pem, -1);
        key = bio != NULL ? PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL) : NULL;
        BIO_free(bio);
    } else if (verification->der != NULL) {
        const uint8_t *at = verification->der;
        key = d2i_PUBKEY(NULL, &at, (long)verification->der_length);
    }
    if (key == NULL || EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519)
        return key;
    EVP_PKEY_free(key);
    return NULL;
}

/* On the loop's stack: OpenSSL's decoders go deep. */
static void verify(void *arg)
{
    struct verification *verification = arg;
    EVP_PKEY *key = read_key(verification);
    EVP_MD_CTX *md = key != NULL ? EVP_MD_CTX_new() : NULL;
    verification->key_read = key != NULL;
    verification->good = md != NULL && EVP_DigestVerifyInit(md, NULL, NULL, NULL, key) == 1 &&
                         EVP_DigestVerify(md, verification->signature, verification->signature_length,
                             verification->data, verification->length) == 1;
    EVP_MD_CTX_free(md);
    EVP_PKEY_free(key);
    ERR_clear_error();
}

bool edge_ed25519_verify(edge_ctx *ctx, const char *public_key, const void *signature, size_t signature_length,
    const void *data, size_t length)
{
    struct verification verification = {
        .signature = signature,
        .signature_length = signature_length,
        .data = length > 0 ? data : "",
        .length = length,
    };
    if (strncmp(public_key, "-----BEGIN", 10) == 0)
        verification.pem = public_key;
    else
        verification.der = edge_base64_decode(ctx, public_key, &verification.der_length);
    fiber_on_loop(verify, &verification);
    if (!verification.key_read)
        edge_log(ctx, EDGE_LOG_ERROR, "public_key_malformed", { "wanted", edge_text("Ed25519") });
    return verification.good;
}
