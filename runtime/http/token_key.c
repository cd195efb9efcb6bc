/*
 * Public keys of PEM text and of JWKs.
 */
#include "token.h"

#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <stdlib.h>
#include <string.h>

/* RFC 7518 3.3: a key of 2048 bits or larger must be used. */
enum {
    KEY_BITS_MIN = 2048,
    KEY_BITS_MAX = 16384
};

/*
 * The base64 text of a PEM block without armour, blanks and line breaks, as one line; to be freed. An
 * environment variable often has "\n" for line breaks, or none: PEM readers refuse both.
 */
static char *armour_off(const char *pem)
{
    const char *begin = strstr(pem, "-----BEGIN ");
    begin = begin != NULL ? strstr(begin + strlen("-----BEGIN "), "-----") : NULL;
    const char *end = begin != NULL ? strstr(begin + 5, "-----END ") : NULL;
    char *text = end != NULL ? malloc((size_t)(end - begin)) : NULL;
    if (text == NULL)
        return NULL;

    size_t length = 0;
    for (const char *at = begin + 5; at < end; at++) {
        if (*at == '\\' && (at[1] == 'n' || at[1] == 'r'))
            at++;
        else if (strchr(" \t\r\n", *at) == NULL)
            text[length++] = *at;
    }
    text[length] = '\0';
    return text;
}

static EVP_PKEY *pkey_from_base64(const char *text)
{
    size_t length = strlen(text);
    unsigned char *der = malloc(length + 1);
    int size = der != NULL ? EVP_DecodeBlock(der, (const unsigned char *)text, (int)length) : -1;
    EVP_PKEY *pkey = NULL;
    if (size > 0) {
        const unsigned char *at = der;
        size_t left = (size_t)size;
        OSSL_DECODER_CTX *decoder = OSSL_DECODER_CTX_new_for_pkey(&pkey, "DER", NULL, "RSA", 0, NULL, NULL);
        if (decoder != NULL && OSSL_DECODER_from_data(decoder, &at, &left) != 1)
            pkey = NULL;
        OSSL_DECODER_CTX_free(decoder);
    }
    ERR_clear_error();
    OPENSSL_clear_free(der, length + 1);
    return pkey;
}

/* A number of the key as big-endian bytes, to be freed. */
static uint8_t *number_of(const EVP_PKEY *pkey, const char *name, size_t *length)
{
    BIGNUM *number = NULL;
    uint8_t *bytes = NULL;
    if (EVP_PKEY_get_bn_param(pkey, name, &number) == 1) {
        *length = (size_t)BN_num_bytes(number);
        bytes = malloc(*length);
        if (bytes != NULL)
            BN_bn2bin(number, bytes);
    }
    BN_free(number);
    return bytes;
}

static cjose_jwk_t *jwk_from_pkey(const EVP_PKEY *pkey)
{
    cjose_jwk_rsa_keyspec spec = { 0 };
    cjose_jwk_t *jwk = NULL;
    cjose_err error;
    spec.n = number_of(pkey, OSSL_PKEY_PARAM_RSA_N, &spec.nlen);
    spec.e = number_of(pkey, OSSL_PKEY_PARAM_RSA_E, &spec.elen);
    if (spec.n != NULL && spec.e != NULL)
        jwk = cjose_jwk_create_RSA_spec(&spec, &error);
    free(spec.n);
    free(spec.e);
    return jwk;
}

/* Takes the jwk over. */
static struct token_key *key_of(cjose_jwk_t *jwk, const char *kid, const char *algorithm)
{
    struct token_key *key = jwk != NULL ? calloc(1, sizeof *key) : NULL;
    if (key == NULL) {
        cjose_jwk_release(jwk);
        return NULL;
    }
    key->jwk = jwk;
    key->kid = kid != NULL ? strdup(kid) : NULL;
    key->algorithm = algorithm != NULL ? strdup(algorithm) : NULL;
    return key;
}

struct token_key *token_key_from_pem(const char *pem)
{
    char *text = armour_off(pem);
    EVP_PKEY *pkey = text != NULL ? pkey_from_base64(text) : NULL;
    bool fits =
        pkey != NULL && EVP_PKEY_get_bits(pkey) >= KEY_BITS_MIN && EVP_PKEY_get_bits(pkey) <= KEY_BITS_MAX;
    struct token_key *key = fits ? key_of(jwk_from_pkey(pkey), NULL, NULL) : NULL;
    EVP_PKEY_free(pkey);
    if (text != NULL)
        OPENSSL_cleanse(text, strlen(text));
    free(text);
    return key;
}

static bool text_is(const json_t *value, const char *wanted)
{
    return json_is_string(value) && strcmp(json_string_value(value), wanted) == 0;
}

static bool is_number(const json_t *value)
{
    return json_is_string(value) && token_is_base64url(json_string_value(value), json_string_length(value));
}

/* The key's public members: a set that leaks its private half should not end up in our memory. */
static cjose_jwk_t *import_public(const json_t *jwk)
{
    json_t *modulus = json_object_get(jwk, "n"), *exponent = json_object_get(jwk, "e");
    if (!is_number(modulus) || !is_number(exponent))
        return NULL;
    json_t *members = json_pack("{s:s, s:O, s:O}", "kty", "RSA", "n", modulus, "e", exponent);
    cjose_err error;
    cjose_jwk_t *imported = members != NULL ? cjose_jwk_import_json(members, &error) : NULL;
    json_decref(members);
    ERR_clear_error();
    return imported;
}

struct token_key *token_key_from_jwk(const json_t *jwk, const char **reason)
{
    const json_t *use = json_object_get(jwk, "use"), *algorithm = json_object_get(jwk, "alg");
    const char *kid = json_string_value(json_object_get(jwk, "kid"));
    *reason = "no RSA signing key with a key id";
    if (kid == NULL || !text_is(json_object_get(jwk, "kty"), "RSA") || (use != NULL && !text_is(use, "sig")))
        return NULL;
    *reason = "for another algorithm";
    if (algorithm != NULL && !text_is(algorithm, "RS256") && !text_is(algorithm, "RS384") &&
        !text_is(algorithm, "RS512"))
        return NULL;

    *reason = "malformed, or of less than 2048 bits";
    cjose_err error;
    cjose_jwk_t *imported = import_public(jwk);
    if (imported != NULL && cjose_jwk_get_keysize(imported, &error) < KEY_BITS_MIN) {
        cjose_jwk_release(imported);
        return NULL;
    }
    return key_of(imported, kid, json_string_value(algorithm));
}

void token_key_free(struct token_key *key)
{
    if (key == NULL)
        return;
    cjose_jwk_release(key->jwk);
    free(key->kid);
    free(key->algorithm);
    free(key);
}
