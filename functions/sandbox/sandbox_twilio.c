/*
 * sandbox_twilio: stand-in for Twilio's REST API (https://www.twilio.com/docs/iam/api/account; errors as in
 * https://www.twilio.com/docs/usage/twilios-response): the account that the credentials belong to.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/oauth_client.h"
#include "lib/sandbox.h"

static json_t *refuse(edge_ctx *ctx, int status, int code, const char *message)
{
    edge_response_status(ctx, status);
    return json_pack("{s:i, s:s, s:o, s:i}", "code", code, "message", message, "more_info",
        json_string(edge_format(ctx, "https://www.twilio.com/docs/errors/%d", code)), "status", status);
}

/* HTTP Basic of the account's id and token. */
static bool is_account(edge_ctx *ctx)
{
    const char *id = edge_env(ctx, "TWILIO_ACCOUNT_SID"), *token = edge_env(ctx, "TWILIO_AUTH_TOKEN");
    const char *given = edge_request_header(ctx, "authorization");
    if (given == NULL || strncmp(given, "Basic ", 6) != 0)
        return false;
    return id == NULL || token == NULL || strcmp(given, oauth_basic(ctx, id, token)) == 0;
}

static json_t *sandbox_twilio(edge_ctx *ctx, json_t *in)
{
    (void)in;
    json_t *order = sandbox_receive(ctx, "twilio");
    if (sandbox_has_answer(order))
        return sandbox_answer(ctx, order);
    if (!is_account(ctx))
        return refuse(ctx, 401, 20003, "Authenticate");
    if (strcmp(edge_request_rest(ctx), "/2010-04-01/Accounts.json") == 0)
        return json_pack("{s:[{s:s, s:s, s:s}], s:i, s:i}", "accounts", "sid", "ACsandbox", "friendly_name",
            "Sandbox", "status", "active", "page", 0, "page_size", 1);
    return refuse(ctx, 404, 20404, "The requested resource was not found");
}

EDGE_FUNCTION(sandbox_twilio,
    .summary = "Stand-in for Twilio",
    .handle = sandbox_twilio,
    .methods = "GET POST",
    .raw_body = true,
    .streams = true);
