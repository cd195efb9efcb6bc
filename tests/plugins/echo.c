/*
 * echo: gives back what the SDK shows of a request; the transport's tests look at it.
 */
#include <edge/edge.h>

static json_t *echo(edge_ctx *ctx, json_t *in)
{
    size_t length = 0;
    edge_request_body(ctx, &length);
    const char *names[] = { "x-test", "content-type", "x-clerk-auth", "host", NULL };
    json_t *headers = json_object();
    for (size_t i = 0; names[i] != NULL; i++)
        if (edge_request_header(ctx, names[i]) != NULL)
            json_object_set_new(headers, names[i], json_string(edge_request_header(ctx, names[i])));

    const char *query = edge_request_query(ctx, "q"), *param = edge_request_param(ctx, "id");
    return json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:I, s:s, s:s, s:o, s:O?}", "method",
        edge_request_method(ctx), "path", edge_request_path(ctx), "rest", edge_request_rest(ctx), "q", query,
        "id", param, "length", (json_int_t)length, "ip", edge_request_ip(ctx), "origin",
        edge_request_origin(ctx), "headers", headers, "in", in);
}

EDGE_FUNCTION(echo, .summary = "Gives a request back", .methods = "GET POST PUT PATCH DELETE", .handle = echo,
    .raw_types = "audio/* video/webm");
