/*
 * initiateMetaOAuth: the Facebook dialog's URL, for a Page or for an Instagram account. One round trip, no
 * provider call.
 *
 * Meta: https://developers.facebook.com/documentation/facebook-login/guides/advanced/manual-flow.
 */
#include <edge/edge.h>

#include "lib/oauth_flow.h"
#include "lib/oauth_output.h"

static const char *const services[] = { "facebook", "instagram", NULL };

static const edge_field input[] = {
    { "userId", EDGE_USER, .help = "The caller's own id, or absent" },
    { "service", EDGE_ENUM, .values = services, .fallback = "facebook", .help = "What is to be connected" },
    { "redirectPath", EDGE_TEXT, .min = 1, .max = 512,
        .help = "Path in the application to go on at after connecting, as /onboarding" },
    { 0 },
};

static json_t *initiate_meta(edge_ctx *ctx, json_t *in)
{
    return oauth_begin_with(ctx, in, edge_json_text(in, "service"));
}

EDGE_FUNCTION(initiateMetaOAuth,
    .summary = "Gets the Facebook consent URL for a Page or an Instagram account",
    .input = input,
    .output = oauth_begin_output,
    .handle = initiate_meta);
