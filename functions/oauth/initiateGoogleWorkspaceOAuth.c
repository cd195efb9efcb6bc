/*
 * initiateGoogleWorkspaceOAuth: the Google consent URL for the signed-in user. One round trip, no provider
 * call.
 *
 * Google: https://developers.google.com/identity/protocols/oauth2/web-server.
 */
#include <edge/edge.h>

#include "lib/oauth_flow.h"
#include "lib/oauth_output.h"

static json_t *initiate_google(edge_ctx *ctx, json_t *in)
{
    return oauth_begin_with(ctx, in, "google_workspace");
}

EDGE_FUNCTION(initiateGoogleWorkspaceOAuth,
    .summary = "Gets the Google consent URL",
    .input = oauth_begin_input,
    .output = oauth_begin_output,
    .handle = initiate_google);
