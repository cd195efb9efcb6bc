/*
 * sandbox_linkedin_upload: stand-in for the hosts that LinkedIn has pictures uploaded to
 * (https://learn.microsoft.com/en-us/linkedin/consumer/integrations/self-serve/share-on-linkedin#upload-image-or-video-binary-file):
 * PUT with the bytes and the token, 201 and no body.
 */
#include <edge/edge.h>

#include "lib/sandbox.h"
#include "lib/sandbox_access.h"

static json_t *sandbox_linkedin_upload(edge_ctx *ctx, json_t *in)
{
    (void)in;
    json_t *order = sandbox_receive(ctx, "linkedin_upload");
    size_t length;
    edge_request_body(ctx, &length);
    if (sandbox_has_answer(order))
        return sandbox_answer(ctx, order);
    edge_response_status(ctx, sandbox_token(ctx) == NULL ? 401 : length == 0 ? 400 : 201);
    edge_respond_bytes(ctx, "text/plain", "", 0);
    return NULL;
}

EDGE_FUNCTION(sandbox_linkedin_upload,
    .summary = "Stand-in for LinkedIn's upload hosts",
    .handle = sandbox_linkedin_upload,
    .methods = "PUT",
    .raw_body = true,
    .streams = true);
