/*
 * Session tokens: opening and verifying one (JWS compact serialisation, RFC 7515; RS256, RS384, RS512).
 *
 * Nothing here does I/O or knows of invocations. The order of the checks is the identity provider's own
 * verifier's: shape and class of the token, key, signature, and only then claims, so that no difference
 * between two refusals tells a forger anything about claims he could not sign.
 *
 * jansson must allocate from malloc meanwhile (arena_enter(NULL)), and the stack should be a deep one:
 * callers are on the loop's.
 */
#ifndef HTTP_TOKEN_H
#define HTTP_TOKEN_H

#include <cjose/cjose.h>
#include <jansson.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longer ones are refused unread; Clerk's are below 4 KiB, a browser's cookie limit. */
#define TOKEN_BYTES_MAX (16 * 1024)

/* A public key that may sign tokens. */
struct token_key {
    char *kid;       /* NULL of a PEM key: it fits every kid */
    char *algorithm; /* the only one it may be used with, NULL: any of the three */
    cjose_jwk_t *jwk;
    struct token_key *next; /* in a key set */
};

/*
 * A key of PEM text ("BEGIN PUBLIC KEY", "BEGIN RSA PUBLIC KEY", or a private key, of which the public part is
 * taken). Line breaks may be missing or written "\n", as environment variables have them. NULL when it is no
 * RSA key of at least 2048 bits.
 */
struct token_key *token_key_from_pem(const char *pem);

/*
 * True for non-empty base64url text, padded or not. Everything is checked with it before cjose 0.6.2 sees it:
 * that stops reading at the first "=", whatever is behind, and aborts the process on a length of 4n + 1.
 */
bool token_is_base64url(const char *text, size_t length);

/* A key of a JWK (RFC 7517); NULL and *reason when it is none that verifies our tokens. */
struct token_key *token_key_from_jwk(const json_t *jwk, const char **reason);
void token_key_free(struct token_key *key);

/* What a token must say beyond being signed and of our time. */
struct token_rules {
    const char *issuer;                    /* NULL: not checked */
    const char *const *authorized_parties; /* NULL or empty: not checked */
    int64_t skew_ms;
};

/* An opened, unverified token. */
struct token {
    cjose_jws_t *jws;
    const char *kid; /* NULL without one; borrowed from jws */
    const char *algorithm;
};

/*
 * What is kept of a verified token: one block of memory, so that a copy is one memcpy. text begins with the
 * claims as JSON; the other members are offsets of strings in text, 0 when the claim is absent.
 */
struct token_claims {
    int64_t valid_until_ms; /* exp plus the skew */
    uint32_t length;        /* of text */
    uint32_t user, session, organisation, org_role;
    char text[];
};

/*
 * Opens a token and checks its shape, class and algorithm. 0, or -EINVAL (malformed) or -EACCES (of a class
 * that is no session), with *reason for the log. token_close releases it in every case.
 */
int token_open(struct token *token, const char *text, size_t length, const char **reason);
void token_close(struct token *token);

/*
 * Verifies an opened token with key and fills *claims (to be freed). 0, or -EACCES with *reason for the log,
 * or -ENOMEM.
 */
int token_verify(struct token *token, const struct token_key *key, const struct token_rules *rules,
    int64_t now_ms, struct token_claims **claims, const char **reason);

/*
 * True for a JWT whose claims say that it is a Supabase anon key: role "anon" and nobody's. It is not
 * verified, and need not be: it counts as no token at all.
 */
bool token_is_anonymous(const char *text, size_t length);

/*
 * Packs a verified token's claims (token_claims.c). Organisation claims of version 2 are also given under
 * version 1's names: org_id, org_slug, org_role, org_permissions. edge_admin is taken out: the runtime
 * sets it, a token never does.
 */
struct token_claims *token_claims_pack(json_t *payload, int64_t valid_until_ms);

#endif
