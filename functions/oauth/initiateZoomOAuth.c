/*
 * initiateZoomOAuth: the Zoom consent URL for the signed-in user. One round trip, no provider call.
 *
 * Zoom: https://developers.zoom.us/docs/integrations/oauth/.
 */
#include <edge/edge.h>

#include "lib/oauth_flow.h"
#include "lib/oauth_output.h"

static json_t *initiate_zoom(edge_ctx *ctx, json_t *in)
{
    return oauth_begin_with(ctx, in, "zoom");
}

EDGE_FUNCTION(initiateZoomOAuth,
    .summary = "Gets the Zoom consent URL",
    .input = oauth_begin_input,
    .output = oauth_begin_output,
    .handle = initiate_zoom);
