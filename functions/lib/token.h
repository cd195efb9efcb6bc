/*
 * Access tokens of OAuth services (spec oauth.md S7, TOKEN): fresh ones, renewed when due, by one caller at a
 * time however many workers and hosts ask.
 *
 *     const struct token *token = token_require(ctx, user, "google_workspace");
 *     edge_reply *reply = edge_try_fetch(ctx, "gmail", .path = path, .bearer = token->access_token);
 *     if (reply->status == 401)
 *         token = token_renew(ctx, token);                      then once more, if token->failure is NULL
 *
 * A function that uses this lists the service's client variables in its env (spec oauth.md S2), as
 * GOOGLE_WORKSPACE_CLIENT_ID and GOOGLE_WORKSPACE_CLIENT_SECRET, and OAUTH_TIMEOUT_MS. It runs on after its
 * client has left (on_disconnect = "finish"): a refresh that is cut off may lose a token that can be used once.
 */
#ifndef LIB_TOKEN_H
#define LIB_TOKEN_H

#include "lib/connection.h"

struct token {
    /*
     * NULL: the rest is there. Else that of the connection, or of a refresh that was needed and failed:
     * 409 "not_connected", "reconnect_required"; 429 "provider_rate_limited"; 502 "provider_error"; 504
     * "provider_timeout". said has message and suggestion; connection_fail ends the invocation with it.
     */
    const struct connection_failure *failure;
    const char *access_token;
    int64_t expires_at; /* epoch seconds, 0: not known */
    json_t *scopes;     /* granted, an array of strings */
    const char *account_id,
        *page_token; /* at the provider; page_token: Meta's chosen Page. Either may be NULL */
    const struct connection *connection; /* its row: settings, and what connection_break takes */
};

/* A user's token for a service, canonical or alias. Failures are values, the missing encryption key aside
 * (503). */
EDGE_RETURNS_NONNULL const struct token *token_get(edge_ctx *ctx, const char *user, const char *name);

/* As token_get; a failure ends the invocation with its own words. */
EDGE_RETURNS_NONNULL const struct token *token_require(edge_ctx *ctx, const char *user, const char *name);

/* As token_get, of a row that has been read. */
EDGE_RETURNS_NONNULL const struct token *token_of(const struct connection *connection);

/*
 * The provider has answered 401 to this token: another one, whatever its time says. One refresh for all who
 * bring the same token. Where there is nothing to refresh with, the connection becomes error:
 * "reconnect_required".
 */
EDGE_RETURNS_NONNULL const struct token *token_renew(edge_ctx *ctx, const struct token *token);

#endif
