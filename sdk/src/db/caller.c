/*
 * Role and claims of an invocation's statements.
 *
 * Policies read the caller from request.jwt.claims. Administrators' policies are for the role edge_admin, so
 * that nobody else's queries are planned with them, and test the claim of that name as well: the one claim that
 * the runtime adds, and a token must never be able to bring along.
 */
#include "db/operation.h"

#include <edge/json.h>

#include <string.h>

/* The acting user of a service call, a job or a webhook: no token, so no claims but who it is. */
static const char *claims_of_user(edge_ctx *ctx, const char *user, bool admin)
{
    json_t *claims = json_pack("{s:s}", "sub", user);
    if (claims != NULL && admin)
        json_object_set_new(claims, "edge_admin", json_true());
    if (claims == NULL)
        context_fail_detail(ctx, 500, "internal_error", "The user id is not valid UTF-8", NULL);
    return edge_json_dump(ctx, claims, NULL);
}

/* Only the parser knows whether the word is really a member's name, and it may be there twice. */
static const char *claims_without_admin(edge_ctx *ctx, const char *text)
{
    json_t *claims = edge_json_parse(ctx, text, strlen(text));
    if (!json_is_object(claims))
        context_fail_detail(ctx, 500, "internal_error", "The claims are not a JSON object", NULL);
    json_object_del(claims, "edge_admin");
    return edge_json_dump(ctx, claims, NULL);
}

static const char *claims_with_admin(edge_ctx *ctx, const char *text)
{
    const char *rest = text + 1 + strspn(text + 1, " \t\r\n");
    return edge_format(ctx, "{\"edge_admin\":true%s%s", *rest == '}' ? "" : ",", rest);
}

struct db_caller caller_of(edge_ctx *ctx, bool service)
{
    if (service)
        return (struct db_caller){ .role = DB_SERVICE, .claims = "" };

    const struct identity *identity = &ctx->identity;
    if (identity->user == NULL)
        return (struct db_caller){ .role = DB_ANON, .claims = "" };

    const char *claims = identity->claims_json;
    if (identity->caller != EDGE_CALLER_USER || claims == NULL) {
        claims = claims_of_user(ctx, identity->user, identity->admin);
    } else {
        /* The host removes it; checking costs a search. A backslash could spell the name in escapes. */
        if (strstr(claims, "edge_admin") != NULL || strchr(claims, '\\') != NULL)
            claims = claims_without_admin(ctx, claims);
        if (identity->admin)
            claims = claims_with_admin(ctx, claims);
    }
    return (struct db_caller){ .role = identity->admin ? DB_ADMIN : DB_AUTHENTICATED, .claims = claims };
}
