/*
 * calls_auth: what the SDK says of the caller, and a step that only administrators take.
 */
#include <edge/edge.h>

static const edge_field input[] = {
    { "asAdmin", EDGE_BOOL, .fallback = "false", .help = "Go on as an administrator" },
    { 0 },
};

static json_t *calls_auth(edge_ctx *ctx, json_t *in)
{
    static const char *const callers[] = { "nobody", "user", "service", "webhook" };
    if (edge_json_bool(in, "asAdmin", false))
        edge_require_role(ctx, "admin");
    edge_rows *seen = edge_query(ctx, "SELECT count(*) AS n FROM profiles");
    return json_pack("{s:s, s:s?, s:s?, s:s?, s:s?, s:O, s:I}", "caller", callers[edge_auth_caller(ctx)],
        "user", edge_auth_try_user(ctx), "session", edge_auth_session(ctx), "organisation",
        edge_auth_organisation(ctx), "role", edge_auth_org_role(ctx), "claims", (json_t *)edge_auth_claims(ctx),
        "seen", (json_int_t)edge_rows_int(seen, 0, "n"));
}

EDGE_FUNCTION(calls_auth, .summary = "Says who calls", .input = input, .handle = calls_auth);
