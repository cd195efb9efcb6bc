/*
 * request_lists: every header, query parameter and cookie of a request, as the SDK lists them; and the first of
 * a name.
 */
#include <edge/edge.h>

static json_t *pairs(const edge_header *list)
{
    json_t *out = json_array();
    for (; list->name != NULL; list++)
        json_array_append_new(out, json_pack("[s, s]", list->name, list->value));
    return out;
}

static json_t *request_lists(edge_ctx *ctx, json_t *in)
{
    (void)in;
    return json_pack("{s:o, s:o, s:o, s:s?, s:s?, s:s?}", "headers", pairs(edge_request_headers(ctx)),
        "queries", pairs(edge_request_queries(ctx)), "cookies", pairs(edge_request_cookies(ctx)), "a",
        edge_request_query(ctx, "a"), "session", edge_request_cookie(ctx, "session"), "region",
        edge_request_query(ctx, "forceFunctionRegion"));
}

EDGE_FUNCTION(request_lists,
    .summary = "Lists headers, query parameters and cookies",
    .methods = "GET POST",
    .handle = request_lists);
