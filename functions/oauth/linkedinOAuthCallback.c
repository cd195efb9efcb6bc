/*
 * linkedinOAuthCallback: turns the code that LinkedIn's redirect carried into a connection, with the
 * member's id, without which nothing can be posted. Three round trips.
 *
 * LinkedIn: https://learn.microsoft.com/linkedin/shared/authentication/authorization-code-flow.
 */
#include <edge/edge.h>

#include "lib/oauth_flow.h"
#include "lib/oauth_output.h"

static const char *const services[] = { "linkedin", NULL };

static json_t *finish_linkedin(edge_ctx *ctx, json_t *in)
{
    return oauth_finish(ctx, in, "", services);
}

EDGE_FUNCTION(linkedinOAuthCallback,
    .summary = "Finishes a LinkedIn connection",
    .input = oauth_callback_input,
    .output = oauth_finish_output,
    .handle = finish_linkedin,
    .shape = &oauth_callback_shape);
