/*
 * Google's stand-ins: what they share.
 */
#include "lib/sandbox_google.h"

#include "lib/sandbox_access.h"

json_t *sandbox_google_error(
    edge_ctx *ctx, int code, const char *reason, const char *status, const char *message)
{
    edge_response_status(ctx, code);
    return json_pack("{s:{s:i, s:s, s:[{s:s, s:s, s:s}], s:s}}", "error", "code", code, "message", message,
        "errors", "message", message, "domain", "global", "reason", reason, "status", status);
}

json_t *sandbox_google_refusal(edge_ctx *ctx)
{
    if (sandbox_token(ctx) != NULL)
        return NULL;
    return sandbox_google_error(ctx, 401, "authError", "UNAUTHENTICATED",
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other "
        "valid authentication credential.");
}

json_t *sandbox_google_bad_body(edge_ctx *ctx)
{
    return sandbox_google_error(ctx, 400, "parseError", "INVALID_ARGUMENT", "Invalid JSON payload received.");
}

const char *sandbox_google_id(edge_ctx *ctx)
{
    uint8_t bytes[21];
    edge_random(bytes, sizeof bytes);
    return edge_format(ctx, "1%s", edge_base64url(ctx, bytes, sizeof bytes));
}
