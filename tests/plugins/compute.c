/*
 * compute: a function whose time is its own: a fixed amount of arithmetic, about a quarter of a millisecond.
 * What several workers are worth is measured with it.
 */
#include <edge/edge.h>

enum {
    STEPS = 100000
};

/* xorshift64 (Marsaglia 2003): each step needs the one before it, so no processor can shorten it. */
static uint64_t scrambled(uint64_t state)
{
    for (int i = 0; i < STEPS; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
    }
    return state;
}

static json_t *compute(edge_ctx *ctx, json_t *in)
{
    (void)in;
    return json_pack(
        "{s:s}", "result", edge_format(ctx, "%016llx", (unsigned long long)scrambled(88172645463325252ULL)));
}

EDGE_FUNCTION(compute, .summary = "Computes for a while", .methods = "GET POST", .handle = compute);
