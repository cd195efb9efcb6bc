/*
 * /_edge/functions: what serves each function, since when, and what was refused; for who has the service key.
 */
#include "endpoint.h"

#include "http/exchange.h"
#include "http/respond.h"
#include "plugin/invoke.h"
#include "supervisor/status.h"
#include "worker/state.h"

#include <edge/json.h>

#include <context.h>

#include <stdlib.h>
#include <string.h>

enum {
    MEMORY = 4 * 1024 * 1024,
    TIMEOUT_MS = 5000
};

static void on_main(edge_ctx *ctx)
{
    struct exchange *exchange = ctx->host;
    const struct worker_boot *boot = worker_of(exchange->server)->boot;
    endpoint_require_service(ctx, exchange);
    json_t *out = json_pack("{s:I, s:o}", "revision", (json_int_t)atomic_load(&boot->registry->revision),
        "functions", status_functions(boot->registry, boot->slots));
    exchange->answer_text = edge_json_dump(ctx, out, &exchange->answer_length);
}

static void on_finished(edge_ctx *ctx)
{
    struct exchange *exchange = ctx->host;
    if (exchange->connection == NULL)
        return;
    if (ctx->failure != NULL)
        invoke_send_failure(ctx, exchange);
    else
        respond_json(exchange, &(struct answer){ .status = 200, .media_type = "application/json" },
            exchange->answer_text, exchange->answer_length);
}

static void on_released(edge_ctx *ctx)
{
    exchange_release(ctx->host);
}

void endpoint_functions(struct exchange *exchange)
{
    static const struct context_ops ops = { .main = on_main, .finished = on_finished, .released = on_released };
    invoke_host(exchange, &ops, "_edge/functions", MEMORY, TIMEOUT_MS);
}
