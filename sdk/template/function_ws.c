/*
 * @NAME@: a WebSocket session that answers each JSON message with its number.
 *
 * Database round trips: none.
 */
#include <edge/edge.h>

static void speak(edge_ctx *ctx)
{
    json_int_t count = 0;
    while (edge_ws_recv(ctx, 0) != NULL) {
        json_t *heard = edge_ws_json(ctx);
        if (heard == NULL)
            edge_fail(ctx, 400, "invalid_message", "A message must be JSON");

        json_t *answer = json_pack("{s:I, s:O}", "number", ++count, "heard", heard);
        edge_ws_send_json(ctx, answer);
        json_decref(answer);
    }
}

EDGE_FUNCTION(@NAME@,
    .summary = "Answers each message of a WebSocket session",
    .session = speak);
