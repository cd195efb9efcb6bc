/*
 * Answers what it is sent, whether it fits its output table or not: what a development host says of that.
 */
#include <edge/edge.h>

static const edge_field count = { .type = EDGE_INT };

static const edge_field output[] = {
    { "name", EDGE_TEXT, .required = true, .help = "Whose they are" },
    { "counts", EDGE_MAP, .items = &count, .help = "How many of each, by name" },
    { 0 },
};

static json_t *output_kinds(edge_ctx *ctx, json_t *in)
{
    (void)ctx;
    return in;
}

EDGE_FUNCTION(output_kinds, .summary = "Answers what it is sent", .output = output, .handle = output_kinds);
