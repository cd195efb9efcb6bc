/*
 * Our side of the providers' OAuth endpoints (spec oauth.md S2, S3): which client we are, the authorization
 * URL, codes and refresh tokens exchanged for grants. RFC 6749; PKCE as RFC 7636. Provider contracts:
 *
 *   Google     https://developers.google.com/identity/protocols/oauth2/web-server
 *   Microsoft  https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow
 *   Meta       https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow
 *   LinkedIn   https://learn.microsoft.com/linkedin/shared/authentication/authorization-code-flow
 *   Zoom       https://developers.zoom.us/docs/integrations/oauth/
 *
 * No call is repeated: codes and rotating refresh tokens work once. What a provider says goes no further than
 * its error code; the log gets provider, endpoint, status and that code.
 */
#ifndef LIB_OAUTH_CLIENT_H
#define LIB_OAUTH_CLIENT_H

#include "lib/connection.h"

/* Whether the provider's client id and secret are set, for what is done only then. */
bool oauth_client_is_configured(edge_ctx *ctx, const struct service *service);

/* Ends the invocation with 503 "not_configured" unless the provider's client id and secret are set. */
void oauth_require_client(edge_ctx *ctx, const struct service *service);

/* APP_URL without its trailing slash; 503 "not_configured" when it is no https URL (or http on this machine).
 */
EDGE_RETURNS_NONNULL const char *oauth_app_url(edge_ctx *ctx);

/* The redirect URI of a slug. */
EDGE_RETURNS_NONNULL const char *oauth_redirect_uri(edge_ctx *ctx, const char *slug);

struct oauth_request {
    const char *redirect_uri, *state, *verifier; /* verifier NULL: no PKCE */
    const char *const *scopes;
};

/* The URL at which the user consents. */
EDGE_RETURNS_NONNULL const char *oauth_authorization_url(
    edge_ctx *ctx, const struct service *service, const struct oauth_request *request);

/* What a token endpoint gave. */
struct oauth_grant {
    const struct connection_failure *failure; /* NULL: the rest is there */
    bool refused; /* of a refresh: the grant is gone, the user has to connect again */
    const char *access_token, *refresh_token, *token_type; /* refresh_token NULL: none */
    int64_t expires_at, refresh_expires_at;                /* epoch seconds, 0: not known */
    json_t *scopes;                                        /* array of strings; NULL: it said nothing of them */
};

/* Exchanges a code; for Meta also for the long-lived token. */
EDGE_RETURNS_NONNULL const struct oauth_grant *oauth_exchange(edge_ctx *ctx, const struct service *service,
    const char *code, const char *redirect_uri, const char *verifier);

/* Refreshes opened credentials, which have something to refresh with. */
EDGE_RETURNS_NONNULL const struct oauth_grant *oauth_refresh(
    edge_ctx *ctx, const struct service *service, const json_t *credentials);

/* Who granted it. Members are NULL where the provider does not say. */
struct oauth_identity {
    const struct connection_failure *failure;
    const char *account_id, *email, *name;
};

/* Google, Microsoft, LinkedIn ask; Zoom has no identity call. Meta's is meta_read (lib/meta). */
EDGE_RETURNS_NONNULL const struct oauth_identity *oauth_identify(
    edge_ctx *ctx, const struct service *service, const char *access_token);

/* Milliseconds that a call of this kind may take: limit, or OAUTH_TIMEOUT_MS where that is less. */
int64_t oauth_timeout_ms(edge_ctx *ctx, int64_t limit_ms);

/*
 * What an answer other than a usable one means: 429, 504 or 502. NULL for a 2xx one with a JSON object. The
 * refusal is logged, our own client being refused as an error.
 */
const struct connection_failure *oauth_failure(
    edge_ctx *ctx, const struct service *service, const char *endpoint, const edge_reply *reply);

/* The provider's own error code: "error", or Meta's error.code as text; "" without one. */
EDGE_RETURNS_NONNULL const char *oauth_error_code(edge_ctx *ctx, const edge_reply *reply);

/* Authorization: Basic of a user and a password. */
EDGE_RETURNS_NONNULL const char *oauth_basic(edge_ctx *ctx, const char *user, const char *password);

/* The provider's client id and secret. */
EDGE_RETURNS_NONNULL const char *oauth_client_id(edge_ctx *ctx, const struct service *service);
EDGE_RETURNS_NONNULL const char *oauth_client_secret(edge_ctx *ctx, const struct service *service);

#endif
