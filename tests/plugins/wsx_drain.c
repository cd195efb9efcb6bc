/*
 * wsx_drain: a session that says good-bye when the host is about to stop, and waits for the answer.
 */
#include <edge/edge.h>

static void serve(edge_ctx *ctx)
{
    edge_ws_watch_drain(ctx);
    while (edge_ws_recv(ctx, 0) != NULL)
        edge_ws_send_text(ctx, "heard");
    if (!edge_ws_draining(ctx) || !edge_ws_open(ctx))
        return;
    edge_ws_send_text(ctx, "bye");
    edge_ws_message *last = edge_ws_recv(ctx, 5000);
    edge_log(ctx, EDGE_LOG_INFO, "drain_done", { "heard", edge_text(last != NULL ? last->data : NULL) });
}

EDGE_FUNCTION(wsx_drain, .summary = "Says good-bye", .session = serve);
