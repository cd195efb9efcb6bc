/*
 * abi_name: declares another function than its file is named after.
 */
#include <edge/edge.h>

static json_t *never(edge_ctx *ctx, json_t *in)
{
    (void)ctx;
    return in;
}

EDGE_FUNCTION(somebody_else, .summary = "Named otherwise", .handle = never);
