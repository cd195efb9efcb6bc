/*
 * request_strict: an input table of every type that refuses what it does not know, and gives back what it took.
 */
#include <edge/edge.h>

static const char *const colours[] = { "red", "green", NULL };
static const char *const other_names[] = { "title", NULL };
static const edge_field item_fields[] = {
    { "price", EDGE_NUMBER, .min = 0, .max = 1000, .required = true },
    { "count", EDGE_INT, .min = 1, .max = 9, .fallback = "1" },
    { 0 },
};
static const edge_field item = { "", EDGE_OBJECT, .fields = item_fields };
static const edge_field input[] = {
    { "name", EDGE_TEXT, .min = 2, .max = 5, .required = true, .aliases = other_names, .help = "Of the order" },
    { "colour", EDGE_ENUM, .values = colours, .fallback = "red" },
    { "items", EDGE_ARRAY, .items = &item, .min = 1, .max = 3 },
    { "big", EDGE_INT },
    { "ratio", EDGE_NUMBER },
    { "gift", EDGE_BOOL, .fallback = "false" },
    { "id", EDGE_UUID },
    { "mail", EDGE_EMAIL },
    { "link", EDGE_URL },
    { "day", EDGE_DATE },
    { "at", EDGE_DATETIME },
    { "any", EDGE_JSON, .min = 3, .max = 60, .help = "Kept as it is" },
    { 0 },
};
static const edge_field output[] = {
    { "name", EDGE_TEXT, .required = true },
    { "title", EDGE_TEXT },
    { "colour", EDGE_ENUM, .values = colours, .required = true },
    { "items", EDGE_ARRAY, .items = &item },
    { "big", EDGE_INT },
    { "ratio", EDGE_NUMBER },
    { "gift", EDGE_BOOL, .required = true },
    { "id", EDGE_UUID },
    { "mail", EDGE_TEXT },
    { "link", EDGE_URL },
    { "day", EDGE_DATE },
    { "at", EDGE_DATETIME },
    { "any", EDGE_JSON },
    { 0 },
};
static const edge_problem problems[] = {
    { 409, "order_closed", "The order cannot be changed any more" },
    { 0 },
};

static json_t *request_strict(edge_ctx *ctx, json_t *in)
{
    (void)ctx;
    return in;
}

EDGE_FUNCTION(request_strict,
    .summary = "Takes what its table describes and nothing else",
    .input = input,
    .unknown_fields = EDGE_UNKNOWN_REFUSE,
    .error_members = "{\"items\":[],\"code\":\"not this one\"}",
    .output = output,
    .problems = problems,
    .handle = request_strict);
