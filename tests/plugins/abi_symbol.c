/*
 * abi_symbol: of the host's version, but calls what no host has.
 */
#include <edge/edge.h>

json_t *edge_no_such_call(edge_ctx *ctx);

static json_t *never(edge_ctx *ctx, json_t *in)
{
    (void)in;
    return edge_no_such_call(ctx);
}

EDGE_FUNCTION(abi_symbol, .summary = "Calls what is not there", .handle = never);
