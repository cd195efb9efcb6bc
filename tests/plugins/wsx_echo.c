/*
 * wsx_echo: a session that says what it hears, as it heard it, and notes how it ended.
 */
#include <edge/edge.h>

static const char *const subprotocols[] = { "chat.v2", "chat.v1", NULL };

static void echo(edge_ctx *ctx)
{
    for (edge_ws_message *heard; (heard = edge_ws_recv(ctx, 0)) != NULL;) {
        if (heard->binary)
            edge_ws_send_bytes(ctx, heard->data, heard->length);
        else
            edge_ws_send_text(ctx, heard->data);
    }
    edge_log(ctx, EDGE_LOG_INFO, "echo_over", { "close", edge_int(edge_ws_close_code(ctx)) },
        { "reason", edge_text(edge_ws_close_reason(ctx)) }, { "open", edge_bool(edge_ws_open(ctx)) },
        { "gone", edge_bool(edge_client_gone(ctx)) });
}

EDGE_FUNCTION(wsx_echo, .summary = "Says what it hears", .session = echo, .subprotocols = subprotocols);
