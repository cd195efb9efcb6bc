/*
 * Opening and verifying session tokens; see token.h for the order of the checks.
 */
#include "token.h"

#include <openssl/err.h>

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    SUBJECT_MAX_BYTES = 255
};

/* Categories that Clerk puts into the JOSE header: a session, and a session of an instance that opted out. */
static const char *const session_categories[] = { "cl_B7d4PD111AAA", "cl_I7d4PD111III" };

static const char *const algorithms[] = { "RS256", "RS384", "RS512" };

static bool one_of(const char *text, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(text, list[i]) == 0)
            return true;
    return false;
}

static bool is_base64url_character(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool token_is_base64url(const char *text, size_t length)
{
    size_t padding = 0;
    while (padding < 2 && length > 0 && text[length - 1] == '=') {
        padding++;
        length--;
    }
    for (size_t i = 0; i < length; i++)
        if (!is_base64url_character(text[i]))
            return false;
    return length > 0 && length % 4 != 1;
}

/* True for three parts of base64url. */
static bool is_compact(const char *text, size_t length)
{
    const char *first = memchr(text, '.', length);
    if (first == NULL)
        return false;
    const char *end = text + length;
    const char *second = memchr(first + 1, '.', (size_t)(end - first - 1));
    return second != NULL && token_is_base64url(text, (size_t)(first - text)) &&
           token_is_base64url(first + 1, (size_t)(second - first - 1)) &&
           token_is_base64url(second + 1, (size_t)(end - second - 1));
}

static const char *opaque_class(const char *text, size_t length)
{
    static const char *const prefixes[] = { "mt_", "oat_", "ak_" };
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        if (length >= strlen(prefixes[i]) && memcmp(text, prefixes[i], strlen(prefixes[i])) == 0)
            return "an opaque machine token, no session";
    return "not three parts of base64url";
}

/* The header's checks, in the verifier's order; NULL when all is well. */
static const char *header_check(struct token *token)
{
    const json_t *header = cjose_jws_get_protected(token->jws);
    const json_t *category = json_object_get(header, "cat");
    if (category != NULL &&
        (!json_is_string(category) || !one_of(json_string_value(category), session_categories, 2)))
        return "of a category that is no session (template or machine token)";

    const json_t *type = json_object_get(header, "typ");
    if (type != NULL && (!json_is_string(type) || strcmp(json_string_value(type), "JWT") != 0))
        return "of a type that is not JWT";

    token->algorithm = json_string_value(json_object_get(header, "alg"));
    if (token->algorithm == NULL || !one_of(token->algorithm, algorithms, 3))
        return "signed with an algorithm that is not allowed";

    /* Extensions that must be understood (RFC 7515 4.1.11); we understand none. */
    if (json_object_get(header, "crit") != NULL)
        return "with critical header parameters";
    token->kid = json_string_value(json_object_get(header, "kid"));
    return NULL;
}

int token_open(struct token *token, const char *text, size_t length, const char **reason)
{
    *token = (struct token){ 0 };
    if (length > TOKEN_BYTES_MAX) {
        *reason = "too long";
        return -EINVAL;
    }
    if (!is_compact(text, length)) {
        *reason = opaque_class(text, length);
        return -EINVAL;
    }

    cjose_err error;
    token->jws = cjose_jws_import(text, length, &error);
    if (token->jws == NULL) {
        ERR_clear_error();
        *reason = "malformed, or signed with an unknown algorithm";
        return -EINVAL;
    }
    *reason = header_check(token);
    return *reason == NULL ? 0 : -EACCES;
}

void token_close(struct token *token)
{
    if (token->jws != NULL)
        cjose_jws_release(token->jws);
    *token = (struct token){ 0 };
}

static json_t *payload_read(const struct token *token)
{
    uint8_t *text = NULL;
    size_t length = 0;
    cjose_err error;
    if (!cjose_jws_get_plaintext(token->jws, &text, &length, &error))
        return NULL;
    json_t *payload = json_loadb((const char *)text, length, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(payload))
        return payload;
    json_decref(payload);
    return NULL;
}

static const char *subject_check(const json_t *payload)
{
    const char *subject = json_string_value(json_object_get(payload, "sub"));
    if (subject == NULL || *subject == '\0' || strlen(subject) > SUBJECT_MAX_BYTES)
        return "without a subject";
    if (strncmp(subject, "mch_", 4) == 0)
        return "a machine's, no session";
    return NULL;
}

static const char *origin_check(const json_t *payload, const struct token_rules *rules)
{
    const char *issuer = json_string_value(json_object_get(payload, "iss"));
    if (rules->issuer != NULL && (issuer == NULL || strcmp(issuer, rules->issuer) != 0))
        return "of another issuer";

    const char *const *parties = rules->authorized_parties;
    if (parties == NULL || *parties == NULL)
        return NULL;
    const char *party = json_string_value(json_object_get(payload, "azp"));
    for (; party != NULL && *parties != NULL; parties++)
        if (strcmp(party, *parties) == 0)
            return NULL;
    return "for a party that is not authorized";
}

/* NULL when the claim is absent or not later than now, allowing for the skew. */
static const char *not_before(const json_t *claim, double now_ms, double skew_ms, const char *reason)
{
    if (claim == NULL)
        return NULL;
    return json_is_number(claim) && json_number_value(claim) * 1000 <= now_ms + skew_ms ? NULL : reason;
}

static const char *time_check(const json_t *payload, const struct token_rules *rules, int64_t now_ms)
{
    double now = (double)now_ms, skew = (double)rules->skew_ms;
    const json_t *expires = json_object_get(payload, "exp");
    if (!json_is_number(expires))
        return "without an expiry time";
    if (json_number_value(expires) * 1000 <= now - skew)
        return "expired";
    const char *reason = not_before(json_object_get(payload, "nbf"), now, skew, "not valid yet");
    return reason != NULL ? reason
                          : not_before(json_object_get(payload, "iat"), now, skew, "issued in the future");
}

static const char *claims_check(const json_t *payload, const struct token_rules *rules, int64_t now_ms)
{
    if (payload == NULL)
        return "signed, but its payload is no JSON object";
    const char *reason = subject_check(payload);
    if (reason == NULL)
        reason = origin_check(payload, rules);
    return reason != NULL ? reason : time_check(payload, rules, now_ms);
}

static int64_t valid_until(const json_t *payload, const struct token_rules *rules)
{
    double until_ms = json_number_value(json_object_get(payload, "exp")) * 1000 + (double)rules->skew_ms;
    return until_ms < 0x1p53 ? (int64_t)ceil(until_ms) : INT64_C(1) << 53;
}

static bool signature_good(struct token *token, const struct token_key *key)
{
    if (key->algorithm != NULL && strcmp(key->algorithm, token->algorithm) != 0)
        return false;
    cjose_err error;
    bool good = cjose_jws_verify(token->jws, key->jwk, &error);
    if (!good)
        ERR_clear_error();
    return good;
}

int token_verify(struct token *token, const struct token_key *key, const struct token_rules *rules,
    int64_t now_ms, struct token_claims **claims, const char **reason)
{
    if (!signature_good(token, key)) {
        *reason = "with a signature that does not fit";
        return -EACCES;
    }

    int result = 0;
    json_t *payload = payload_read(token);
    *reason = claims_check(payload, rules, now_ms);
    if (*reason != NULL) {
        result = -EACCES;
    } else {
        *claims = token_claims_pack(payload, valid_until(payload, rules));
        result = *claims != NULL ? 0 : -ENOMEM;
    }
    json_decref(payload);
    return result;
}

bool token_is_anonymous(const char *text, size_t length)
{
    if (length > TOKEN_BYTES_MAX || !is_compact(text, length))
        return false;
    const char *start = (const char *)memchr(text, '.', length) + 1;
    const char *end = memchr(start, '.', length - (size_t)(start - text));

    uint8_t *decoded = NULL;
    size_t decoded_length = 0;
    cjose_err error;
    if (!cjose_base64url_decode(start, (size_t)(end - start), &decoded, &decoded_length, &error))
        return false;
    json_t *payload = json_loadb((const char *)decoded, decoded_length, JSON_REJECT_DUPLICATES, NULL);
    cjose_get_dealloc()(decoded);

    const char *role = json_string_value(json_object_get(payload, "role"));
    bool anonymous = role != NULL && strcmp(role, "anon") == 0 && json_object_get(payload, "sub") == NULL;
    json_decref(payload);
    return anonymous;
}
