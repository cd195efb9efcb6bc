/*
 * sandbox_zoom: stand-in for Zoom's authorization server (https://developers.zoom.us/docs/integrations/oauth/).
 * Access tokens live an hour; a refresh token works once and is replaced. Scopes belong to the app.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/sandbox.h"
#include "lib/sandbox_oauth.h"

static const struct sandbox_oauth server = {
    .provider = "zoom",
    .id_variable = "ZOOM_CLIENT_ID",
    .secret_variable = "ZOOM_CLIENT_SECRET",
    .denial = "access_denied",
    .pkce = true,
    .rotates = true,
    .access_seconds = 3599,
    .refresh_seconds = 90 * 24 * 3600,
};

static json_t *refuse(edge_ctx *ctx, int status, const char *error, const char *reason)
{
    edge_response_status(ctx, status);
    return json_pack("{s:s, s:s}", "reason", reason, "error", error);
}

/* HTTP Basic of id and secret, and nothing of them in the form. */
static bool is_client(edge_ctx *ctx, const json_t *form)
{
    const char *given = edge_request_header(ctx, "authorization");
    if (given == NULL || strncmp(given, "Basic ", 6) != 0 || json_object_get(form, "client_secret") != NULL)
        return false;
    size_t length;
    const uint8_t *bytes = edge_base64_decode(ctx, given + 6, &length);
    char *pair = bytes != NULL ? edge_copy_bytes(ctx, bytes, length) : NULL;
    char *colon = pair != NULL ? strchr(pair, ':') : NULL;
    if (colon == NULL)
        return false;
    *colon = '\0';
    return sandbox_is_client(ctx, &server, pair, colon + 1);
}

static json_t *token(edge_ctx *ctx, const json_t *order, const json_t *form)
{
    const char *type = edge_json_text(form, "grant_type");
    struct sandbox_grant grant;
    if (!is_client(ctx, form))
        return refuse(ctx, 401, "invalid_client", "Invalid client_id or client_secret");
    bool refresh = type != NULL && strcmp(type, "refresh_token") == 0;
    if (!refresh && (type == NULL || strcmp(type, "authorization_code") != 0))
        return refuse(ctx, 400, "unsupported_grant_type", "unsupported grant type");
    sandbox_problem problem =
        refresh ? sandbox_take_refresh(ctx, &server, edge_json_text(form, "refresh_token"), &grant)
                : sandbox_take_code(ctx, &server, form, &grant);
    if (problem == SANDBOX_BAD_REDIRECT)
        return refuse(ctx, 400, "invalid_request", "Redirect URI mismatch");
    if (problem != SANDBOX_FINE)
        return refuse(ctx, refresh ? 401 : 400, refresh ? "invalid_grant" : "invalid_request",
            refresh ? "Invalid Token!" : "Invalid authorization code");
    if (grant.scope[0] == '\0')
        grant.scope = "meeting:write user:read";
    return sandbox_tokens(ctx, &server, &grant, order, true);
}

static json_t *revoke(edge_ctx *ctx, const json_t *form)
{
    if (!is_client(ctx, form))
        return refuse(ctx, 401, "invalid_client", "Invalid client_id or client_secret");
    return sandbox_revoke(ctx, edge_json_text(form, "token"))
               ? json_pack("{s:s}", "status", "success")
               : refuse(ctx, 400, "invalid_request", "Invalid Token!");
}

static json_t *sandbox_zoom(edge_ctx *ctx, json_t *in)
{
    (void)in;
    json_t *order = sandbox_receive(ctx, "zoom");
    const char *path = edge_request_rest(ctx);
    if (sandbox_has_answer(order))
        return sandbox_answer(ctx, order);
    if (strcmp(path, "/oauth/authorize") == 0)
        return sandbox_consent(ctx, &server);
    if (strcmp(path, "/oauth/token") == 0)
        return token(ctx, order, sandbox_form(ctx));
    if (strcmp(path, "/oauth/revoke") == 0)
        return revoke(ctx, sandbox_form(ctx));
    return refuse(ctx, 404, "not_found", "Not found");
}

EDGE_FUNCTION(sandbox_zoom,
    .summary = "Stand-in for Zoom",
    .handle = sandbox_zoom,
    .methods = "GET POST",
    .raw_body = true,
    .streams = true);
