/*
 * abi_minor: built for a newer minor version of the ABI, with a call that this host does not have. It is the
 * version that has to be named, not the call.
 */
#include <edge/edge.h>

enum {
    MINOR_BEHIND = EDGE_ABI_MINOR + 1
};
#undef EDGE_ABI_MINOR
#define EDGE_ABI_MINOR MINOR_BEHIND

json_t *edge_call_of_the_future(edge_ctx *ctx);

static json_t *never(edge_ctx *ctx, json_t *in)
{
    (void)in;
    return edge_call_of_the_future(ctx);
}

EDGE_FUNCTION(abi_minor, .summary = "Built for a newer minor version", .handle = never);
