/*
 * sandbox_meta_dialog: stand-in for the Facebook login dialog
 * (https://developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow#login).
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/sandbox.h"
#include "lib/sandbox_servers.h"

static json_t *sandbox_meta_dialog(edge_ctx *ctx, json_t *in)
{
    (void)in;
    json_t *order = sandbox_receive(ctx, "meta_dialog");
    const char *rest = edge_request_rest(ctx), *path = strchr(rest + (rest[0] == '/'), '/');
    if (sandbox_has_answer(order))
        return sandbox_answer(ctx, order);
    if (strncmp(rest, "/v", 2) != 0 || path == NULL || strcmp(path, "/dialog/oauth") != 0)
        edge_fail(ctx, 404, "not_found", "The page you requested was not found");
    return sandbox_consent(ctx, &sandbox_meta_server);
}

EDGE_FUNCTION(sandbox_meta_dialog,
    .summary = "Stand-in for the Facebook login dialog",
    .handle = sandbox_meta_dialog,
    .methods = "GET",
    .raw_body = true,
    .streams = true);
