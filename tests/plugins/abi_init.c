/*
 * abi_init: its init refuses.
 */
#include <edge/edge.h>

static int refuse(void **state)
{
    *state = NULL;
    return -7;
}

static json_t *never(edge_ctx *ctx, json_t *in)
{
    (void)ctx;
    return in;
}

EDGE_FUNCTION(abi_init, .summary = "Cannot start", .init = refuse, .handle = never);
