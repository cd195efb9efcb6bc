/*
 * sandbox_google_accounts: stand-in for Google's consent page
 * (https://developers.google.com/identity/protocols/oauth2/web-server#creatingclient).
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/sandbox.h"
#include "lib/sandbox_oauth.h"
#include "lib/sandbox_servers.h"

static json_t *sandbox_google_accounts(edge_ctx *ctx, json_t *in)
{
    (void)in;
    json_t *order = sandbox_receive(ctx, "google_accounts");
    if (sandbox_has_answer(order))
        return sandbox_answer(ctx, order);
    if (strcmp(edge_request_rest(ctx), "/o/oauth2/v2/auth") != 0)
        edge_fail(ctx, 404, "not_found", "The requested URL was not found on this server");
    return sandbox_consent(ctx, &sandbox_google_server);
}

EDGE_FUNCTION(sandbox_google_accounts,
    .summary = "Stand-in for Google's consent page",
    .handle = sandbox_google_accounts,
    .methods = "GET",
    .raw_body = true,
    .streams = true);
