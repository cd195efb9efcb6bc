/*
 * sandbox_microsoft_login: stand-in for the Microsoft identity platform
 * (https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow; error bodies as in its section
 * "Error response", codes from https://learn.microsoft.com/entra/identity-platform/reference-error-codes).
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/sandbox.h"
#include "lib/sandbox_oauth.h"

/* Access tokens of an hour; refresh tokens of 90 days, which are replaced at each use and go on working. */
static const struct sandbox_oauth server = {
    .provider = "microsoft_login",
    .id_variable = "MICROSOFT_CLIENT_ID",
    .secret_variable = "MICROSOFT_CLIENT_SECRET",
    .denial = "access_denied",
    .pkce = true,
    .access_seconds = 3599,
    .refresh_seconds = 90 * 24 * 3600,
};

static json_t *refuse(edge_ctx *ctx, int status, const char *error, int code, const char *words)
{
    edge_response_status(ctx, status);
    return json_pack("{s:s, s:o, s:[i], s:s, s:s, s:s}", "error", error, "error_description",
        json_string(edge_format(ctx, "AADSTS%d: %s Trace ID: %s", code, words, edge_request_id(ctx))),
        "error_codes", code, "timestamp", edge_iso_time(ctx, edge_now(ctx)), "trace_id", edge_request_id(ctx),
        "correlation_id", edge_request_id(ctx));
}

static json_t *refuse_grant(edge_ctx *ctx, sandbox_problem problem)
{
    switch (problem) {
    case SANDBOX_USED:
        return refuse(ctx, 400, "invalid_grant", 54005, "OAuth2 Authorization code was already redeemed.");
    case SANDBOX_BAD_REDIRECT:
        return refuse(ctx, 400, "invalid_client", 500112,
            "The reply address does not match the reply address provided when requesting Authorization code.");
    case SANDBOX_BAD_VERIFIER:
        return refuse(
            ctx, 400, "invalid_grant", 501481, "The Code_Verifier does not match the code_challenge.");
    default:
        return refuse(ctx, 400, "invalid_grant", 70008, "The provided authorization code or token is expired.");
    }
}

static json_t *token(edge_ctx *ctx, const json_t *order, const json_t *form)
{
    const char *type = edge_json_text(form, "grant_type"), *scope = edge_json_text(form, "scope");
    struct sandbox_grant grant;
    if (!sandbox_is_client(
            ctx, &server, edge_json_text(form, "client_id"), edge_json_text(form, "client_secret")))
        return refuse(ctx, 401, "invalid_client", 7000215, "Invalid client secret provided.");
    bool refresh = type != NULL && strcmp(type, "refresh_token") == 0;
    if (!refresh && (type == NULL || strcmp(type, "authorization_code") != 0))
        return refuse(
            ctx, 400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.");
    sandbox_problem problem =
        refresh ? sandbox_take_refresh(ctx, &server, edge_json_text(form, "refresh_token"), &grant)
                : sandbox_take_code(ctx, &server, form, &grant);
    if (problem != SANDBOX_FINE)
        return refuse_grant(ctx, problem);
    if (refresh && scope != NULL && grant.scope[0] != '\0' && strstr(scope, "Files.") != NULL)
        return refuse(ctx, 400, "invalid_grant", 65001, "The user has not consented to use the application.");
    json_t *tokens = sandbox_tokens(ctx, &server, &grant, order, true);
    json_object_set_new(tokens, "ext_expires_in", json_integer(server.access_seconds));
    return tokens;
}

static json_t *sandbox_microsoft_login(edge_ctx *ctx, json_t *in)
{
    (void)in;
    json_t *order = sandbox_receive(ctx, "microsoft_login");
    const char *rest = edge_request_rest(ctx), *path = strchr(rest + (rest[0] == '/'), '/');
    if (sandbox_has_answer(order))
        return sandbox_answer(ctx, order);
    if (path != NULL && strcmp(path, "/oauth2/v2.0/authorize") == 0)
        return sandbox_consent(ctx, &server);
    if (path != NULL && strcmp(path, "/oauth2/v2.0/token") == 0)
        return token(ctx, order, sandbox_form(ctx));
    return refuse(ctx, 404, "invalid_request", 90015, "Requested resource was not found.");
}

EDGE_FUNCTION(sandbox_microsoft_login,
    .summary = "Stand-in for the Microsoft identity platform",
    .handle = sandbox_microsoft_login,
    .methods = "GET POST",
    .raw_body = true,
    .streams = true);
