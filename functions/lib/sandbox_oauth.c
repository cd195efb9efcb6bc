/*
 * Authorization servers: codes and tokens.
 */
#include "lib/sandbox_oauth.h"

#include <string.h>

#include "lib/sandbox_files.h"
#include "lib/sandbox_oauth_seal.h"

enum {
    CODE_SECONDS = 600,
    NONCE_BYTES = 12,
};

static int64_t now_seconds(void)
{
    return edge_now_exact() / 1000000;
}

static const char *nonce(edge_ctx *ctx)
{
    uint8_t noise[NONCE_BYTES];
    edge_random(noise, sizeof noise);
    return edge_hex(ctx, noise, sizeof noise);
}

bool sandbox_is_client(edge_ctx *ctx, const struct sandbox_oauth *server, const char *id, const char *secret)
{
    const char *known_id = edge_env(ctx, server->id_variable),
               *known_secret = edge_env(ctx, server->secret_variable);
    bool same_id = id != NULL && (known_id == NULL || strcmp(id, known_id) == 0);
    return same_id && secret != NULL && (known_secret == NULL || strcmp(secret, known_secret) == 0);
}

/* Marks are files that are made once, for all workers; grants are shared by a company's stand-ins. */
static const char *mark_path(edge_ctx *ctx, const char *kind, const char *id)
{
    return sandbox_path(ctx, "_oauth", edge_format(ctx, "%s-%s", kind, id));
}

static bool is_revoked(edge_ctx *ctx, const json_t *sealed)
{
    const char *grant = edge_json_text(sealed, "g");
    return grant != NULL && sandbox_read(ctx, mark_path(ctx, "revoked", grant)) != NULL;
}

const char *sandbox_new_code(
    edge_ctx *ctx, const struct sandbox_oauth *server, const struct sandbox_grant *grant)
{
    return sandbox_seal(
        ctx, json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:s, s:s, s:I}", "k", "code", "p", server->provider, "n",
                 nonce(ctx), "r", edge_request_query(ctx, "redirect_uri"), "c",
                 edge_request_query(ctx, "code_challenge"), "a", grant->account, "s", grant->scope, "e",
                 (json_int_t)(now_seconds() + CODE_SECONDS)));
}

static bool is_verified(edge_ctx *ctx, const char *challenge, const char *verifier)
{
    uint8_t digest[EDGE_SHA256_BYTES];
    if (challenge == NULL)
        return verifier == NULL;
    if (verifier == NULL)
        return false;
    edge_sha256(verifier, strlen(verifier), digest);
    return strcmp(edge_base64url(ctx, digest, sizeof digest), challenge) == 0;
}

static bool same(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

sandbox_problem sandbox_take_code(
    edge_ctx *ctx, const struct sandbox_oauth *server, const json_t *fields, struct sandbox_grant *grant)
{
    const json_t *code = sandbox_unseal(ctx, edge_json_text(fields, "code"));
    if (!same(edge_json_text(code, "k"), "code") || !same(edge_json_text(code, "p"), server->provider) ||
        edge_json_int(code, "e", 0) <= now_seconds())
        return SANDBOX_BAD_GRANT;
    if (!same(edge_json_text(code, "r"), edge_json_text(fields, "redirect_uri")))
        return SANDBOX_BAD_REDIRECT;
    if (server->pkce && !is_verified(ctx, edge_json_text(code, "c"), edge_json_text(fields, "code_verifier")))
        return SANDBOX_BAD_VERIFIER;
    const char *id = edge_json_text(code, "n");
    if (!sandbox_create(mark_path(ctx, "used", id)))
        return SANDBOX_USED;
    *grant = (struct sandbox_grant){ id, edge_json_text(code, "a"), edge_json_text(code, "s") };
    return SANDBOX_FINE;
}

/* A token made by hand has no payload; what it stands for is the same each time. */
static bool is_handmade(const char *token)
{
    return token != NULL && token[0] != '\0' && !sandbox_is_sealed(token) &&
           strncmp(token, "expired", 7) != 0 && strncmp(token, "revoked", 7) != 0;
}

static void read_grant(const json_t *sealed, struct sandbox_grant *grant)
{
    *grant = (struct sandbox_grant){ edge_json_text(sealed, "g"), edge_json_text(sealed, "a"),
        edge_json_text(sealed, "s") };
}

/* A token of ours that stands; NULL otherwise. */
static const json_t *standing(edge_ctx *ctx, const char *token, const char *kind)
{
    const json_t *sealed = token != NULL ? sandbox_unseal(ctx, token) : NULL;
    bool lives = edge_json_int(sealed, "e", INT64_MAX) > now_seconds();
    return same(edge_json_text(sealed, "k"), kind) && lives && !is_revoked(ctx, sealed) ? sealed : NULL;
}

sandbox_problem sandbox_take_refresh(
    edge_ctx *ctx, const struct sandbox_oauth *server, const char *token, struct sandbox_grant *grant)
{
    if (is_handmade(token)) {
        *grant = (struct sandbox_grant){ "handmade", "sandbox", "" };
        return SANDBOX_FINE;
    }
    const json_t *sealed = standing(ctx, token, "rt");
    if (sealed == NULL || !same(edge_json_text(sealed, "p"), server->provider))
        return SANDBOX_BAD_GRANT;
    if (server->rotates && !sandbox_create(mark_path(ctx, "used", edge_json_text(sealed, "n"))))
        return SANDBOX_USED;
    read_grant(sealed, grant);
    return SANDBOX_FINE;
}

static const char *new_token(edge_ctx *ctx, const struct sandbox_oauth *server,
    const struct sandbox_grant *grant, const char *kind, int64_t seconds)
{
    json_t *sealed = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "k", kind, "p", server->provider, "n",
        nonce(ctx), "g", grant->id, "a", grant->account, "s", grant->scope);
    if (seconds > 0)
        json_object_set_new(sealed, "e", json_integer(now_seconds() + seconds));
    return sandbox_seal(ctx, sealed);
}

json_t *sandbox_tokens(edge_ctx *ctx, const struct sandbox_oauth *server, const struct sandbox_grant *grant,
    const json_t *order, bool with_refresh)
{
    int64_t seconds = edge_json_int(order, "expiresIn", server->access_seconds);
    json_t *tokens =
        json_pack("{s:s, s:s, s:I, s:s}", "access_token", new_token(ctx, server, grant, "at", seconds),
            "token_type", "Bearer", "expires_in", (json_int_t)seconds, "scope", grant->scope);
    if (with_refresh && !server->no_refresh)
        json_object_set_new(
            tokens, "refresh_token", json_string(new_token(ctx, server, grant, "rt", server->refresh_seconds)));
    return tokens;
}

bool sandbox_token_counts(edge_ctx *ctx, const char *token)
{
    return is_handmade(token) || standing(ctx, token, "at") != NULL;
}

bool sandbox_token_grant(edge_ctx *ctx, const char *token, struct sandbox_grant *grant)
{
    const json_t *sealed = standing(ctx, token, "at");
    *grant = (struct sandbox_grant){ "handmade", "sandbox", "" };
    if (sealed != NULL)
        read_grant(sealed, grant);
    return sealed != NULL || is_handmade(token);
}

bool sandbox_revoke(edge_ctx *ctx, const char *token)
{
    const json_t *sealed = standing(ctx, token, "at");
    if (sealed == NULL)
        sealed = standing(ctx, token, "rt");
    if (sealed == NULL)
        return is_handmade(token);
    return sandbox_create(mark_path(ctx, "revoked", edge_json_text(sealed, "g")));
}
