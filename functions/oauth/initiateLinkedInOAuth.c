/*
 * initiateLinkedInOAuth: the LinkedIn consent URL for the signed-in user. One round trip, no provider call.
 *
 * LinkedIn: https://learn.microsoft.com/linkedin/shared/authentication/authorization-code-flow.
 */
#include <edge/edge.h>

#include "lib/oauth_flow.h"
#include "lib/oauth_output.h"

static json_t *initiate_linkedin(edge_ctx *ctx, json_t *in)
{
    return oauth_begin_with(ctx, in, "linkedin");
}

EDGE_FUNCTION(initiateLinkedInOAuth,
    .summary = "Gets the LinkedIn consent URL",
    .input = oauth_begin_input,
    .output = oauth_begin_output,
    .handle = initiate_linkedin);
