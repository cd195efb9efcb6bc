/*
 * zoomOAuthCallback: turns the code that Zoom's redirect carried into a connection. Three round trips.
 *
 * Zoom: https://developers.zoom.us/docs/integrations/oauth/.
 */
#include <edge/edge.h>

#include "lib/oauth_flow.h"
#include "lib/oauth_output.h"

static const char *const services[] = { "zoom", NULL };

static json_t *finish_zoom(edge_ctx *ctx, json_t *in)
{
    return oauth_finish(ctx, in, "", services);
}

EDGE_FUNCTION(zoomOAuthCallback,
    .summary = "Finishes a Zoom connection",
    .input = oauth_callback_input,
    .output = oauth_finish_output,
    .handle = finish_zoom,
    .shape = &oauth_callback_shape);
