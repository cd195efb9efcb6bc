/*
 * sandbox_linkedin_oauth: stand-in for LinkedIn's authorization server
 * (https://learn.microsoft.com/linkedin/shared/authentication/authorization-code-flow). Only partners get
 * refresh tokens; a code_verifier from a client with a secret is answered with 401.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/sandbox.h"
#include "lib/sandbox_access.h"
#include "lib/sandbox_oauth.h"

static const struct sandbox_oauth server = {
    .provider = "linkedin_oauth",
    .id_variable = "LINKEDIN_CLIENT_ID",
    .secret_variable = "LINKEDIN_CLIENT_SECRET",
    .denial = "user_cancelled_authorize",
    .access_seconds = 5183999,
    .refresh_seconds = 365 * 24 * 3600,
};

static json_t *refuse(edge_ctx *ctx, int status, const char *error, const char *description)
{
    edge_response_status(ctx, status);
    return json_pack("{s:s, s:s}", "error", error, "error_description", description);
}

/* Its scopes come separated by commas. */
static json_t *with_commas(edge_ctx *ctx, json_t *tokens)
{
    char *scope = edge_copy(ctx, edge_json_text(tokens, "scope"));
    for (char *at = scope; *at != '\0'; at++)
        if (*at == ' ')
            *at = ',';
    json_object_set_new(tokens, "scope", json_string(scope));
    return tokens;
}

static bool is_client(edge_ctx *ctx, const json_t *form)
{
    return json_object_get(form, "code_verifier") == NULL &&
           sandbox_is_client(
               ctx, &server, edge_json_text(form, "client_id"), edge_json_text(form, "client_secret"));
}

/* The order's "refreshTokens" makes the client a partner's. */
static json_t *token(edge_ctx *ctx, const json_t *order, const json_t *form)
{
    const char *type = edge_json_text(form, "grant_type");
    struct sandbox_grant grant;
    if (!is_client(ctx, form))
        return refuse(ctx, 401, "invalid_client", "Client authentication failed");
    bool refresh = type != NULL && strcmp(type, "refresh_token") == 0;
    if (!refresh && (type == NULL || strcmp(type, "authorization_code") != 0))
        return refuse(ctx, 400, "invalid_request", "A required parameter \"grant_type\" is missing");
    sandbox_problem problem =
        refresh ? sandbox_take_refresh(ctx, &server, edge_json_text(form, "refresh_token"), &grant)
                : sandbox_take_code(ctx, &server, form, &grant);
    if (problem == SANDBOX_BAD_REDIRECT)
        return refuse(ctx, 400, "invalid_redirect_uri",
            "Unable to retrieve access token: appid/redirect uri/code verifier does not match authorization "
            "code");
    if (problem != SANDBOX_FINE)
        return refuse(ctx, 400, "invalid_request",
            "Unable to retrieve access token: authorization code or refresh token not found");
    bool partner = refresh || edge_json_bool(order, "refreshTokens", false);
    json_t *tokens = with_commas(ctx, sandbox_tokens(ctx, &server, &grant, order, partner));
    if (partner)
        json_object_set_new(tokens, "refresh_token_expires_in", json_integer(server.refresh_seconds));
    return tokens;
}

static json_t *revoke(edge_ctx *ctx, const json_t *form)
{
    if (!is_client(ctx, form))
        return refuse(ctx, 401, "invalid_client", "Client authentication failed");
    return sandbox_revoke(ctx, edge_json_text(form, "token"))
               ? json_object()
               : refuse(ctx, 400, "invalid_request", "Unknown token");
}

/* The Images API has pictures uploaded to this host (.../community-management/shares/images-api). */
static json_t *upload(edge_ctx *ctx)
{
    edge_response_status(ctx, sandbox_token(ctx) != NULL ? 201 : 401);
    edge_respond_bytes(ctx, "text/plain", "", 0);
    return NULL;
}

static json_t *sandbox_linkedin_oauth(edge_ctx *ctx, json_t *in)
{
    (void)in;
    json_t *order = sandbox_receive(ctx, "linkedin_oauth");
    const char *path = edge_request_rest(ctx);
    if (sandbox_has_answer(order))
        return sandbox_answer(ctx, order);
    if (strcmp(path, "/oauth/v2/authorization") == 0)
        return sandbox_consent(ctx, &server);
    if (strcmp(path, "/oauth/v2/accessToken") == 0)
        return token(ctx, order, sandbox_form(ctx));
    if (strcmp(path, "/oauth/v2/revoke") == 0)
        return revoke(ctx, sandbox_form(ctx));
    if (strncmp(path, "/dms-uploads/", 13) == 0)
        return upload(ctx);
    return refuse(ctx, 404, "not_found", "Not found");
}

EDGE_FUNCTION(sandbox_linkedin_oauth,
    .summary = "Stand-in for LinkedIn's authorization server",
    .handle = sandbox_linkedin_oauth,
    .methods = "GET POST PUT",
    .raw_body = true,
    .streams = true);
