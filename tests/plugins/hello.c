/*
 * hello: the smallest function there is; what the host itself costs is measured with it.
 */
#include <edge/edge.h>

static json_t *hello(edge_ctx *ctx, json_t *in)
{
    (void)ctx, (void)in;
    return json_pack("{s:s}", "message", "hello");
}

EDGE_FUNCTION(hello, .summary = "Says hello", .methods = "GET POST", .handle = hello);
