/*
 * Auth modes; see auth.h for the table.
 */
#include "auth.h"

#include "token_system.h"
#include "webhook.h"

#include <edge/request.h>

#include <string.h>

/* The one text for every token that is refused: which check it failed is the log's business. */
static const char bad_token[] = "The session is not valid or has expired";

/*
 * The credential of a header's value: what follows "Bearer ", or a value without a scheme. NULL for another
 * scheme, and for nothing.
 */
static const char *credential_in(const char *value)
{
    if (value == NULL)
        return NULL;
    value += strspn(value, " \t");
    if (strcmp(value, "Bearer") == 0)
        return NULL;
    if (strncmp(value, "Bearer ", 7) == 0)
        value += 7 + strspn(value + 7, " \t");
    else if (strpbrk(value, " \t") != NULL)
        return NULL;
    return *value != '\0' ? value : NULL;
}

/* Copies what the handler and its statements may ask for; claims are parsed only when they do. */
static void become_user(edge_ctx *ctx, const struct token_claims *claims)
{
    const char *text = edge_copy_bytes(ctx, claims->text, claims->length);
    ctx->identity = (struct identity){
        .caller = EDGE_CALLER_USER,
        .user = text + claims->user,
        .claims_json = text,
        .session = claims->session != 0 ? text + claims->session : NULL,
        .organisation = claims->organisation != 0 ? text + claims->organisation : NULL,
        .org_role = claims->org_role != 0 ? text + claims->org_role : NULL,
    };
}

EDGE_NORETURN static void refuse(edge_ctx *ctx, enum token_kind kind, const char *reason)
{
    if (kind == TOKEN_KEYLESS)
        context_fail_detail(ctx, 503, "not_configured",
            "CLERK_JWKS_URL is not configured, so that no session can be verified",
            "neither auth.jwks_url nor auth.jwt_key is set");
    if (kind == TOKEN_NO_KEYS)
        edge_fail_with(ctx, 502, "provider_unreachable",
            .message = "The session could not be verified because the sign-in service does not answer",
            .retry_after_seconds = 5);
    context_fail_detail(ctx, 401, "unauthorized", bad_token, edge_format(ctx, "token is %s", reason));
}

/* Takes the identity of a header's credential. False when it has none. */
static bool take_credential(edge_ctx *ctx, const char *header)
{
    const char *text = credential_in(edge_request_header(ctx, header));
    if (text == NULL)
        return false;

    const struct token_claims *claims = NULL;
    const char *reason = NULL;
    enum token_kind kind = token_identify(ctx, text, strlen(text), &claims, &reason);
    switch (kind) {
    case TOKEN_NOBODY:
        return false;
    case TOKEN_SERVICE:
        ctx->identity = (struct identity){ .caller = EDGE_CALLER_SERVICE };
        return true;
    case TOKEN_SESSION:
        become_user(ctx, claims);
        return true;
    default:
        refuse(ctx, kind, reason);
    }
}

static void require(edge_ctx *ctx, enum auth_mode mode)
{
    edge_caller caller = ctx->identity.caller;
    if (caller == EDGE_CALLER_NOBODY && mode != AUTH_OPTIONAL)
        context_fail_detail(ctx, 401, "unauthorized", "Sign in to use this function", "no token");
    if (mode == AUTH_ADMIN)
        edge_require_role(ctx, "admin");
    if (mode == AUTH_USER && caller == EDGE_CALLER_SERVICE)
        context_fail_detail(
            ctx, 403, "forbidden", "This function acts for signed-in users only", "service key");
    if (mode == AUTH_SERVICE && caller == EDGE_CALLER_USER)
        context_fail_detail(ctx, 403, "forbidden", "This function is not open to users", "a user's token");
}

void auth_identify(edge_ctx *ctx, const struct function_config *function)
{
    ctx->identity = (struct identity){ .caller = EDGE_CALLER_NOBODY };
    if (function->auth == AUTH_PUBLIC)
        return;
    if (function->auth == AUTH_WEBHOOK) {
        webhook_verify(ctx, function);
        ctx->identity.caller = EDGE_CALLER_WEBHOOK;
        return;
    }
    if (!take_credential(ctx, "x-clerk-auth"))
        take_credential(ctx, "authorization");
    require(ctx, function->auth);
}

void auth_require(edge_ctx *ctx, const struct function_config *function)
{
    if (function->auth == AUTH_PUBLIC || function->auth == AUTH_WEBHOOK)
        auth_identify(ctx, function);
    else
        require(ctx, function->auth);
}
