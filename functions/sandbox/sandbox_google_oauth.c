/*
 * sandbox_google_oauth: stand-in for Google's token and revocation endpoints. Errors as in
 * https://developers.google.com/identity/protocols/oauth2/web-server#exchange-errors and RFC 6749 5.2.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/sandbox.h"
#include "lib/sandbox_servers.h"

static json_t *refuse(edge_ctx *ctx, int status, const char *error, const char *description)
{
    edge_response_status(ctx, status);
    return json_pack("{s:s, s:s}", "error", error, "error_description", description);
}

static json_t *refuse_grant(edge_ctx *ctx, sandbox_problem problem)
{
    if (problem == SANDBOX_BAD_REDIRECT)
        return refuse(ctx, 400, "redirect_uri_mismatch", "Bad Request");
    if (problem == SANDBOX_BAD_VERIFIER)
        return refuse(ctx, 400, "invalid_grant", "Invalid code verifier.");
    return refuse(ctx, 400, "invalid_grant", "Bad Request");
}

static json_t *token(edge_ctx *ctx, const json_t *order, const json_t *form)
{
    const char *type = edge_json_text(form, "grant_type");
    struct sandbox_grant grant;
    if (!sandbox_is_client(ctx, &sandbox_google_server, edge_json_text(form, "client_id"),
            edge_json_text(form, "client_secret")))
        return refuse(ctx, 401, "invalid_client", "The OAuth client was not found.");
    bool refresh = type != NULL && strcmp(type, "refresh_token") == 0;
    if (!refresh && (type == NULL || strcmp(type, "authorization_code") != 0))
        return refuse(ctx, 400, "unsupported_grant_type", "Invalid grant_type");
    sandbox_problem problem = refresh ? sandbox_take_refresh(ctx, &sandbox_google_server,
                                            edge_json_text(form, "refresh_token"), &grant)
                                      : sandbox_take_code(ctx, &sandbox_google_server, form, &grant);
    if (problem != SANDBOX_FINE)
        return refuse_grant(ctx, problem);
    return sandbox_tokens(ctx, &sandbox_google_server, &grant, order, !refresh);
}

static json_t *revoke(edge_ctx *ctx, const json_t *form)
{
    return sandbox_revoke(ctx, edge_json_text(form, "token"))
               ? json_object()
               : refuse(ctx, 400, "invalid_token", "Token expired or revoked");
}

static json_t *sandbox_google_oauth(edge_ctx *ctx, json_t *in)
{
    (void)in;
    json_t *order = sandbox_receive(ctx, "google_oauth"), *form = sandbox_form(ctx);
    const char *path = edge_request_rest(ctx);
    if (sandbox_has_answer(order))
        return sandbox_answer(ctx, order);
    if (strcmp(path, "/token") == 0)
        return token(ctx, order, form);
    if (strcmp(path, "/revoke") == 0)
        return revoke(ctx, form);
    return refuse(ctx, 404, "not_found", "Not Found");
}

EDGE_FUNCTION(sandbox_google_oauth,
    .summary = "Stand-in for Google's token endpoint",
    .handle = sandbox_google_oauth,
    .raw_body = true,
    .streams = true);
