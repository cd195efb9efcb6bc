/*
 * Signing of development tokens; see development_token.h.
 */
#include "cli/development_token.h"

#include "cli/command.h"
#include "config/config.h"
#include "config/development.h"

#include <cjose/cjose.h>
#include <jansson.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/rand.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* One number of an RSA key as big-endian bytes; *length 0 when it has none. */
static uint8_t *number_bytes(EVP_PKEY *key, const char *name, size_t *length)
{
    BIGNUM *number = NULL;
    uint8_t *bytes = NULL;
    *length = 0;
    if (EVP_PKEY_get_bn_param(key, name, &number) == 1 &&
        (bytes = malloc((size_t)BN_num_bytes(number))) != NULL)
        *length = (size_t)BN_bn2bin(number, bytes);
    BN_clear_free(number);
    return bytes;
}

static cjose_jwk_t *jwk_of(EVP_PKEY *key)
{
    cjose_jwk_rsa_keyspec spec = { 0 };
    spec.n = number_bytes(key, OSSL_PKEY_PARAM_RSA_N, &spec.nlen);
    spec.e = number_bytes(key, OSSL_PKEY_PARAM_RSA_E, &spec.elen);
    spec.d = number_bytes(key, OSSL_PKEY_PARAM_RSA_D, &spec.dlen);
    cjose_jwk_t *jwk = cjose_jwk_create_RSA_spec(&spec, NULL);
    free(spec.n);
    free(spec.e);
    if (spec.d != NULL)
        OPENSSL_cleanse(spec.d, spec.dlen);
    free(spec.d);
    return jwk;
}

/* The compact serialisation of claims, signed; to be freed. */
static char *sign(cjose_jwk_t *jwk, const char *claims)
{
    cjose_header_t *header = cjose_header_new(NULL);
    cjose_jws_t *jws = NULL;
    const char *text = NULL;
    char *token = NULL;
    if (header != NULL && cjose_header_set(header, CJOSE_HDR_ALG, CJOSE_HDR_ALG_RS256, NULL) &&
        cjose_header_set(header, CJOSE_HDR_KID, "development", NULL) &&
        cjose_header_set(header, "typ", "JWT", NULL))
        jws = cjose_jws_sign(jwk, header, (const uint8_t *)claims, strlen(claims), NULL);
    if (jws != NULL && cjose_jws_export(jws, &text, NULL))
        token = strdup(text);
    cjose_jws_release(jws);
    cjose_header_release(header);
    return token;
}

/* Claims as Clerk's session tokens have them: no v, so version 1. */
static char *claims_text(const struct config *config, const char *user, int64_t lifetime_ms)
{
    uint8_t random[12];
    char session[sizeof "sess_" + 2 * sizeof random] = "sess_";
    RAND_bytes(random, sizeof random);
    for (size_t i = 0; i < sizeof random; i++)
        snprintf(session + strlen("sess_") + 2 * i, 3, "%02x", random[i]);

    const char *party = config->auth.authorized_parties[0];
    json_int_t now = time(NULL);
    json_t *claims = json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:[i,i], s:s}", "iss", DEVELOPMENT_ISSUER,
        "sub", user, "sid", session, "azp", party == NULL ? "http://localhost:3000" : party, "iat", now, "nbf",
        now, "exp", now + (json_int_t)(lifetime_ms / 1000), "fva", 0, -1, "sts", "active");
    char *text = claims == NULL ? NULL : json_dumps(claims, JSON_COMPACT);
    json_decref(claims);
    return text;
}

char *development_token(const struct config *config, const char *user, int64_t lifetime_ms)
{
    EVP_PKEY *key = NULL;
    char *token = NULL, *claims = claims_text(config, user, lifetime_ms);
    int result = development_key_open(config->auth.development_key, &key);
    if (result == 0 && claims != NULL) {
        cjose_jwk_t *jwk = jwk_of(key);
        token = jwk == NULL ? NULL : sign(jwk, claims);
        cjose_jwk_release(jwk);
    }
    if (token == NULL)
        failure("cannot sign with \"%s\": %s", config->auth.development_key,
            result == 0 ? "it is no key for RS256, or the user's id is no UTF-8" : strerror(-result));
    EVP_PKEY_free(key);
    free(claims);
    return token;
}
