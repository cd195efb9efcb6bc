/*
 * What the stand-ins' authorization servers share (RFC 6749, 7636, 7009): a consent page, codes that work once,
 * tokens that expire and can be revoked.
 *
 * Codes and tokens say themselves what they are worth, under a seal: "sbx." the payload, "." its HMAC. What one
 * use or a revocation took away is a file under SANDBOX_DIR. Tokens made by hand count too, unless they begin
 * with "expired" or "revoked" (lib/sandbox_access): a test can put them into a row.
 *
 * The consent page is HTML with a link for each answer; whoever follows ?...&consent=allow (or deny, with
 * &grant=<scopes> for some of them and &account=<id> for another person) has answered it.
 */
#ifndef LIB_SANDBOX_OAUTH_H
#define LIB_SANDBOX_OAUTH_H

#include <edge/edge.h>

/* An authorization server's ways. */
struct sandbox_oauth {
    const char *provider;
    const char *id_variable, *secret_variable;
    const char *denial; /* error of a refusal */
    bool pkce;          /* a code asked for with a challenge needs its verifier */
    bool rotates;       /* refreshing gives a new refresh token; the old one works no more */
    int64_t access_seconds;
    int64_t refresh_seconds; /* 0: its refresh tokens do not expire */
    bool no_refresh;         /* none is given */
};

/* Fields of the request's form, an object of texts; no form is an empty one. */
EDGE_RETURNS_NONNULL json_t *sandbox_form(edge_ctx *ctx);

/* The consent page, or the redirect that it leads to. */
json_t *sandbox_consent(edge_ctx *ctx, const struct sandbox_oauth *server);

/* What is wrong with the client's credentials, a code or a token; NULL is nothing. */
typedef enum sandbox_problem {
    SANDBOX_FINE,
    SANDBOX_BAD_CLIENT,
    SANDBOX_BAD_GRANT,    /* no code or refresh token of ours, expired, revoked */
    SANDBOX_USED,         /* it has been used */
    SANDBOX_BAD_REDIRECT, /* another redirect_uri than the code was asked for with */
    SANDBOX_BAD_VERIFIER,
} sandbox_problem;

/* Whether id and secret are the client's. */
bool sandbox_is_client(edge_ctx *ctx, const struct sandbox_oauth *server, const char *id, const char *secret);

/* A grant: whose, of what, and since which consent. */
struct sandbox_grant {
    const char *id, *account, *scope;
};

/* Takes a code, which works once; fields has code, redirect_uri and code_verifier. */
sandbox_problem sandbox_take_code(
    edge_ctx *ctx, const struct sandbox_oauth *server, const json_t *fields, struct sandbox_grant *grant);

/* Takes a refresh token; of a server that rotates, once. */
sandbox_problem sandbox_take_refresh(
    edge_ctx *ctx, const struct sandbox_oauth *server, const char *token, struct sandbox_grant *grant);

/*
 * New tokens of a grant: access_token, token_type, expires_in, scope and, where there is one, refresh_token.
 * The order's "expiresIn" (seconds) makes the access token live shorter or longer.
 */
EDGE_RETURNS_NONNULL json_t *sandbox_tokens(edge_ctx *ctx, const struct sandbox_oauth *server,
    const struct sandbox_grant *grant, const json_t *order, bool with_refresh);

/* Whether an access token counts: of ours while it lives and its grant stands, else any that lib/sandbox_access
 * takes. */
bool sandbox_token_counts(edge_ctx *ctx, const char *token);

/* Reads the grant of a token that counts; of one made by hand the account is "sandbox". */
bool sandbox_token_grant(edge_ctx *ctx, const char *token, struct sandbox_grant *grant);

/* Revokes the grant of an access or refresh token; false when the token is none or its grant is gone. */
bool sandbox_revoke(edge_ctx *ctx, const char *token);

#endif
