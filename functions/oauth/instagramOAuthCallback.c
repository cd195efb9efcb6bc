/*
 * instagramOAuthCallback: turns the code that Meta's redirect carried into an Instagram connection: the
 * professional account that is linked to one of the user's Pages. Three round trips.
 *
 * Meta: https://developers.facebook.com/documentation/facebook-login/guides/advanced/manual-flow.
 */
#include <edge/edge.h>

#include "lib/oauth_flow.h"

static const char *const services[] = { "instagram", NULL };

static json_t *finish_instagram(edge_ctx *ctx, json_t *in)
{
    return oauth_finish(ctx, in, "", services);
}

EDGE_FUNCTION(instagramOAuthCallback,
    .summary = "Finishes an Instagram connection",
    .input = oauth_callback_input,
    .handle = finish_instagram,
    .shape = &oauth_callback_shape);
