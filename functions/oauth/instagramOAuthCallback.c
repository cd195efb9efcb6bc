/*
 * instagramOAuthCallback: turns the code that Meta's redirect carried into an Instagram connection: the
 * professional account that is linked to one of the user's Pages. Three round trips.
 *
 * Meta: https://developers.facebook.com/documentation/facebook-login/guides/advanced/manual-flow.
 */
#include <edge/edge.h>

#include "lib/oauth_flow.h"
#include "lib/oauth_output.h"

static const char *const services[] = { "instagram", NULL };

static const edge_field output[] = {
    { "success", EDGE_BOOL, .required = true, .help = "true" },
    { "service", EDGE_ENUM, .values = services, .required = true, .help = "What has been connected" },
    { "scopes", EDGE_ARRAY, .items = &oauth_scope_output, .required = true,
        .help = "Permissions that were given" },
    { "accountEmail", EDGE_TEXT, .help = "Always null: Meta does not tell" },
    OAUTH_FINISH_MEMBERS(true),
    { "pageId", EDGE_TEXT, .required = true, .help = "Page that the account is linked to" },
    { "pageName", EDGE_TEXT, .help = "Name of that Page" },
    { "pages", EDGE_ARRAY, .items = &meta_page_output, .required = true,
        .help = "All Pages that have an account" },
    { "instagramAccountId", EDGE_TEXT, .required = true, .help = "The chosen account" },
    { 0 },
};

static json_t *finish_instagram(edge_ctx *ctx, json_t *in)
{
    return oauth_finish(ctx, in, "", services);
}

EDGE_FUNCTION(instagramOAuthCallback,
    .summary = "Finishes an Instagram connection",
    .input = oauth_callback_input,
    .output = output,
    .handle = finish_instagram,
    .shape = &oauth_callback_shape);
