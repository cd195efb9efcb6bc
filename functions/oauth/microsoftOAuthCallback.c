/*
 * microsoftOAuthCallback: turns the code that Microsoft's redirect carried into a connection. Three round
 * trips.
 *
 * Microsoft: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow.
 */
#include <edge/edge.h>

#include "lib/oauth_flow.h"
#include "lib/oauth_output.h"

static const char *const services[] = { "microsoft_365", NULL };

static json_t *finish_microsoft(edge_ctx *ctx, json_t *in)
{
    return oauth_finish(ctx, in, "", services);
}

EDGE_FUNCTION(microsoftOAuthCallback,
    .summary = "Finishes a Microsoft 365 connection",
    .input = oauth_callback_input,
    .output = oauth_finish_output,
    .handle = finish_microsoft,
    .shape = &oauth_callback_shape);
