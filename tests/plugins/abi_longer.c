/*
 * abi_longer: says that its descriptor is longer than this version's, and than what there is of it.
 */
#include <edge/edge.h>

static json_t *never(edge_ctx *ctx, json_t *in)
{
    (void)ctx;
    return in;
}

#pragma GCC diagnostic ignored "-Woverride-init"
EDGE_FUNCTION(abi_longer, .size = 4096, .summary = "Says that it is longer", .handle = never);
