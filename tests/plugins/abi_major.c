/*
 * abi_major: built for another major version of the ABI. Nothing of it may run, its constructor included.
 */
#include <edge/edge.h>

#include <stdlib.h>

#undef EDGE_ABI_MAJOR
#define EDGE_ABI_MAJOR 2

__attribute__((constructor)) static void run_too_early(void)
{
    abort();
}

static json_t *never(edge_ctx *ctx, json_t *in)
{
    (void)ctx;
    return in;
}

EDGE_FUNCTION(abi_major, .summary = "Built for another major version", .handle = never);
