/*
 * abi_older: built for the minor version before this host's, with what that version had.
 */
#include <edge/edge.h>

_Static_assert(EDGE_ABI_MINOR > 0, "there is an older one");
enum {
    MINOR_BEFORE = EDGE_ABI_MINOR - 1
};
#undef EDGE_ABI_MINOR
#define EDGE_ABI_MINOR MINOR_BEFORE

static const edge_field input[] = {
    { "name", EDGE_TEXT, .required = true, .help = "Whom to greet" },
    { 0 },
};

static json_t *greet(edge_ctx *ctx, json_t *in)
{
    (void)ctx;
    return json_pack("{s:s}", "hello", edge_json_text(in, "name"));
}

EDGE_FUNCTION(abi_older, .summary = "Built for an older minor version", .input = input, .handle = greet);
