/*
 * ws_caller: says who calls and how, as the SDK shows it to a message of a WebSocket.
 */
#include <edge/edge.h>

static const edge_field input[] = {
    { "userId", EDGE_USER, .help = "The caller's own id, or absent" },
    { "ms", EDGE_INT, .min = 0, .max = 10000, .fallback = "0", .help = "How long to wait before the answer" },
    { "status", EDGE_INT, .min = 200, .max = 599, .fallback = "200", .help = "Status of the answer" },
    { 0 },
};

static json_t *ws_caller(edge_ctx *ctx, json_t *in)
{
    if (edge_json_int(in, "ms", 0) > 0)
        edge_sleep(ctx, edge_json_int(in, "ms", 0));
    edge_response_status(ctx, (int)edge_json_int(in, "status", 200));
    return json_pack("{s:s?, s:s?, s:O?, s:s, s:s, s:s?, s:s?, s:s?, s:s?, s:b, s:b}", "user",
        edge_auth_try_user(ctx), "session", edge_auth_session(ctx), "sub",
        json_object_get(edge_auth_claims(ctx), "sub"), "method", edge_request_method(ctx), "path",
        edge_request_path(ctx), "q", edge_request_query(ctx, "q"), "header", edge_request_header(ctx, "x-test"),
        "upgrade", edge_request_header(ctx, "upgrade"), "protocol",
        edge_request_header(ctx, "sec-websocket-protocol"), "service",
        edge_auth_caller(ctx) == EDGE_CALLER_SERVICE, "websocket", edge_request_websocket(ctx));
}

EDGE_FUNCTION(ws_caller, .summary = "Says who calls", .input = input, .handle = ws_caller);
