/*
 * Signing in at Meta's stand-in: codes and long-lived tokens
 * (https://developers.facebook.com/docs/facebook-login/guides/access-tokens/get-long-lived), who one is with
 * permissions and Pages, and permissions taken back
 * (https://developers.facebook.com/docs/facebook-login/guides/permissions/request-revoke).
 *
 * The person has two Pages: 900 may only be looked at; 111, the one of lib/sandbox_meta_pages, can be published
 * to and has the Instagram account 1784.
 */
#include <string.h>

#include "lib/sandbox_meta.h"
#include "lib/sandbox_servers.h"

enum {
    LONG_SECONDS = 60 * 24 * 3600,
};

static json_t *query_fields(edge_ctx *ctx)
{
    json_t *fields = json_object();
    for (const edge_header *field = edge_request_queries(ctx); field->name != NULL; field++)
        json_object_set_new(fields, field->name, json_string(field->value));
    return fields;
}

static json_t *refuse_code(edge_ctx *ctx, sandbox_problem problem)
{
    if (problem == SANDBOX_USED)
        return sandbox_meta_error(ctx, 400, 100, "This authorization code has been used.");
    if (problem == SANDBOX_BAD_REDIRECT)
        return sandbox_meta_error(ctx, 400, 100,
            "Error validating verification code. Please make sure your redirect_uri is identical to the one "
            "you used "
            "in the OAuth dialog request");
    return sandbox_meta_error(ctx, 400, 100, "Invalid verification code format.");
}

/* Meta's answer to a token request says nothing of scopes. */
static json_t *without_scope(json_t *tokens)
{
    json_object_del(tokens, "scope");
    return tokens;
}

static json_t *long_lived(edge_ctx *ctx, const json_t *order, const char *token)
{
    struct sandbox_oauth server = sandbox_meta_server;
    struct sandbox_grant grant;
    if (token == NULL || !sandbox_token_grant(ctx, token, &grant))
        return sandbox_meta_error(ctx, 400, 190, "Error validating access token: Session has expired.");
    server.access_seconds = LONG_SECONDS;
    return without_scope(sandbox_tokens(ctx, &server, &grant, order, false));
}

json_t *sandbox_meta_token(edge_ctx *ctx, const json_t *order)
{
    const json_t *query = query_fields(ctx);
    const char *type = edge_json_text(query, "grant_type");
    struct sandbox_grant grant;
    if (!sandbox_is_client(ctx, &sandbox_meta_server, edge_json_text(query, "client_id"),
            edge_json_text(query, "client_secret")))
        return sandbox_meta_error(
            ctx, 400, 101, "Error validating application. Cannot get application info due to a system error.");
    if (type != NULL && strcmp(type, "fb_exchange_token") == 0)
        return long_lived(ctx, order, edge_json_text(query, "fb_exchange_token"));
    sandbox_problem problem = sandbox_take_code(ctx, &sandbox_meta_server, query, &grant);
    if (problem != SANDBOX_FINE)
        return refuse_code(ctx, problem);
    return without_scope(sandbox_tokens(ctx, &sandbox_meta_server, &grant, order, false));
}

static json_t *permissions(edge_ctx *ctx, const struct sandbox_grant *grant)
{
    json_t *list = json_array();
    for (const char *at = grant->scope; *(at += strspn(at, " ,")) != '\0';) {
        size_t length = strcspn(at, " ,");
        json_array_append_new(list, json_pack("{s:o, s:s}", "permission",
                                        json_string(edge_copy_bytes(ctx, at, length)), "status", "granted"));
        at += length;
    }
    return json_pack("{s:o}", "data", list);
}

static json_t *pages(void)
{
    return json_pack("{s:[{s:s, s:s, s:[s], s:s}, {s:s, s:s, s:[s, s], s:s, s:{s:s, s:s}}]}", "data", "id",
        "900", "name", "Team", "tasks", "ANALYZE", "access_token", "page-token-900", "id", "111", "name",
        "Sandbox Realty", "tasks", "CREATE_CONTENT", "ANALYZE", "access_token", "page-token-111",
        "instagram_business_account", "id", "1784", "username", "sandbox.realty");
}

static json_t *me(edge_ctx *ctx, const struct sandbox_grant *grant)
{
    json_t *found = json_pack("{s:s, s:s}", "id",
        strcmp(grant->account, "sandbox") == 0 ? "55" : grant->account, "name", "Sandbox Agent");
    if (sandbox_meta_wants(ctx, "permissions"))
        json_object_set_new(found, "permissions", permissions(ctx, grant));
    if (sandbox_meta_wants(ctx, "accounts"))
        json_object_set_new(found, "accounts", pages());
    return found;
}

json_t *sandbox_meta_person(edge_ctx *ctx, const struct meta_request *request)
{
    struct sandbox_grant grant;
    if (strcmp(request->method, "GET") == 0 && strcmp(request->path, "/me") == 0) {
        sandbox_token_grant(ctx, request->token, &grant);
        return me(ctx, &grant);
    }
    if (strcmp(request->method, "DELETE") != 0 || strncmp(request->path, "/me/permissions", 15) != 0)
        return NULL;
    if (request->path[15] == '\0')
        sandbox_revoke(ctx, request->token);
    return json_pack("{s:b}", "success", 1);
}
