/*
 * http_together: several calls to a provider at once.
 */
#include <edge/edge.h>

static json_t *tell(const edge_reply *reply)
{
    return json_pack(
        "{s:i, s:i, s:s}", "failure", reply->failure, "status", reply->status, "body", reply->body);
}

static json_t *together(edge_ctx *ctx, json_t *in)
{
    (void)in;
    edge_reply *replies[3];
    edge_fetch_all(ctx, replies, EDGE_CALL("peer", .path = "/slow"), EDGE_CALL("peer", .path = "/broken"),
        EDGE_CALL("peer", .path = "/quick", .json = json_pack("{s:i}", "n", 3)));

    return json_pack("{s:[o, o, o]}", "replies", tell(replies[0]), tell(replies[1]), tell(replies[2]));
}

EDGE_FUNCTION(http_together, .summary = "Calls a provider three times at once", .handle = together);
