/*
 * Tokens, key sets and PEM text. The first byte says what the rest is taken for, so that the claims, which in a
 * real token lie behind a signature, are reached as well.
 */
#include <http/jwks_set.h>
#include <http/token.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char public_key[] = "-----BEGIN PUBLIC KEY-----\n"
                                 "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA4A36g3JqCvDgNlMmUB6o\n"
                                 "CzdmOitm2pzuyffmBo1VsfvYuhoI8m7MnCUYAAQ3OzhTEX9aILk53PQ0H3dkIGsG\n"
                                 "wJfGfxJZlo93N20GzOZMaquCOOi+M2L1hlWonB9vxGsTbdnK12S7IFbbO0ZygCRC\n"
                                 "T8pH4s9V+CQPnMer87FRRvoFA6xqD8Gal8HiCrZxUR6NfUHjv+P0F4Nz1I7pH5hS\n"
                                 "rqlmDu08PuUfhqkqss7T9J/1qbr5Oj6n9bLZ+MRoUrRs2ppDlE43YL8VsfHlRSSj\n"
                                 "J+ulStXB0os2LU5WsJU+GwXlX4Qq9DlsLCBl6eLJWWYJETAtXaN4abMPGh9wCZN+\n"
                                 "gQIDAQAB\n"
                                 "-----END PUBLIC KEY-----\n";

static void fuzz_token(const char *text, size_t size)
{
    static struct token_key *key;
    if (key == NULL && (key = token_key_from_pem(public_key)) == NULL)
        abort();

    const char *reason = NULL;
    struct token token;
    struct token_claims *claims = NULL;
    const struct token_rules rules = { .skew_ms = 5000 };
    if (token_open(&token, text, size, &reason) == 0 &&
        token_verify(&token, key, &rules, 0, &claims, &reason) == 0)
        abort(); /* nobody has the private key */
    token_close(&token);
    token_is_anonymous(text, size);
}

static void fuzz_claims(const char *text, size_t size)
{
    json_t *payload = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(payload)) {
        struct token_claims *claims = token_claims_pack(payload, 0);
        if (claims == NULL || strstr(claims->text, "\"edge_admin\":") == claims->text + 1)
            abort();
        free(claims);
    }
    json_decref(payload);
}

static void fuzz_key_set(const char *text, size_t size)
{
    static struct jwks_set set;
    bool withdrawn = false;
    jwks_set_update(&set, text, size, 1, &withdrawn);
    jwks_set_clear(&set);
}

static void fuzz_pem(const char *text, size_t size)
{
    char *pem = strndup(text, size);
    token_key_free(token_key_from_pem(pem));
    free(pem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const targets[])(const char *, size_t) = { fuzz_token, fuzz_claims, fuzz_key_set, fuzz_pem };
    if (size == 0)
        return 0;
    /* A copy of exactly this size, so that a sanitizer sees the first byte read too many. */
    char *text = malloc(size);
    memcpy(text, data + 1, size - 1);
    targets[data[0] % 4](text, size - 1);
    free(text);
    return 0;
}
