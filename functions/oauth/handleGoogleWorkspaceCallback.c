/*
 * handleGoogleWorkspaceCallback: turns the code that Google's redirect carried into a connection. Flows that
 * googleCalendarAuth began end here as well: the redirect URI of the exchange is the state's. Three round
 * trips.
 *
 * Google: https://developers.google.com/identity/protocols/oauth2/web-server.
 */
#include <edge/edge.h>

#include "lib/oauth_flow.h"
#include "lib/oauth_output.h"

static const char *const services[] = { "google_workspace", NULL };

static json_t *finish_google(edge_ctx *ctx, json_t *in)
{
    return oauth_finish(ctx, in, "", services);
}

EDGE_FUNCTION(handleGoogleWorkspaceCallback,
    .summary = "Finishes a Google Workspace connection",
    .input = oauth_callback_input,
    .output = oauth_finish_output,
    .handle = finish_google,
    .shape = &oauth_callback_shape);
