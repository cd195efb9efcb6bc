/*
 * initiateMicrosoftOAuth: the Microsoft 365 consent URL for the signed-in user. One round trip, no provider
 * call.
 *
 * Microsoft: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow.
 */
#include <edge/edge.h>

#include "lib/oauth_flow.h"
#include "lib/oauth_output.h"

static json_t *initiate_microsoft(edge_ctx *ctx, json_t *in)
{
    return oauth_begin_with(ctx, in, "microsoft_365");
}

EDGE_FUNCTION(initiateMicrosoftOAuth,
    .summary = "Gets the Microsoft 365 consent URL",
    .input = oauth_begin_input,
    .output = oauth_begin_output,
    .handle = initiate_microsoft);
