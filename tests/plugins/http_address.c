/*
 * http_address: where a browser finds a provider.
 */
#include <edge/edge.h>

static const edge_field input[] = {
    { "provider", EDGE_TEXT, .required = true, .help = "Name of the provider" },
    { "path", EDGE_TEXT, .required = true, .help = "What comes behind its base URL" },
    { 0 },
};

static json_t *address(edge_ctx *ctx, json_t *in)
{
    const char *url = edge_provider_url(ctx, edge_json_text(in, "provider"), edge_json_text(in, "path"));
    return json_pack("{s:s}", "url", url);
}

EDGE_FUNCTION(http_address, .summary = "Says where a provider is", .input = input, .handle = address);
