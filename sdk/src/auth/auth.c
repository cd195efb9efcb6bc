/*
 * Who calls, as functions ask for it. The host has filled ctx->identity before the handler runs.
 */
#include <context.h>

#include <edge/auth.h>
#include <edge/json.h>

#include <string.h>

edge_caller edge_auth_caller(edge_ctx *ctx)
{
    return ctx->identity.caller;
}

const char *edge_auth_user(edge_ctx *ctx)
{
    if (ctx->identity.user == NULL)
        edge_fail(ctx, 401, "unauthorized", "Sign in to use this function");
    return ctx->identity.user;
}

const char *edge_auth_try_user(edge_ctx *ctx)
{
    return ctx->identity.user;
}

const char *edge_auth_session(edge_ctx *ctx)
{
    return ctx->identity.session;
}

const char *edge_auth_organisation(edge_ctx *ctx)
{
    return ctx->identity.organisation;
}

const char *edge_auth_org_role(edge_ctx *ctx)
{
    return ctx->identity.org_role;
}

const json_t *edge_auth_claims(edge_ctx *ctx)
{
    struct identity *identity = &ctx->identity;
    if (identity->claims == NULL && identity->claims_json != NULL)
        identity->claims = edge_json_parse(ctx, identity->claims_json, strlen(identity->claims_json));
    if (identity->claims == NULL)
        identity->claims = json_object();
    if (identity->claims == NULL)
        edge_alloc(ctx, ctx->arena.limit_bytes); /* the arena is full: fails and says so */
    return identity->claims;
}
