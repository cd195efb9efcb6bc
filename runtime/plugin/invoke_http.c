/*
 * Functions over HTTP: the exchange's side of an invocation.
 */
#include "invoke.h"

#include "generation.h"
#include "http/exchange.h"
#include "http/forwarded.h"
#include "http/respond.h"
#include "supervisor/registry.h"
#include "telemetry/metrics.h"
#include "test_fault.h"
#include "worker/state.h"

#include <edge/json.h>

#include <context.h>
#include <log.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct exchange *exchange_of(const edge_ctx *ctx)
{
    return ctx->host;
}

static struct answer answer_of(const edge_ctx *ctx, int status, const char *media_type)
{
    return (struct answer){
        .status = status,
        .media_type = media_type,
        .generation = ctx->generation,
        .more = ctx->response.headers,
    };
}

void invoke_fill_request(edge_ctx *ctx, struct exchange *exchange)
{
    struct request_view *request = &ctx->request;
    *request = (struct request_view){
        .method = exchange->method,
        .path = exchange->match.path,
        .rest = exchange->match.rest,
        .query = exchange->query,
        .headers = exchange_headers(exchange, ctx),
        .params = exchange->match.params,
        .body = exchange->body.memory,
        .body_length = exchange->body.length,
        .body_spooled = exchange->body.mapped,
        .body_fd = exchange->body.file,
    };
    request->ip = forwarded_ip(ctx, exchange);
    request->origin = forwarded_origin(ctx, exchange);
    ctx->usage.bytes_in = exchange->head_length + exchange->body.length;
}

static void on_main(edge_ctx *ctx)
{
    struct exchange *exchange = exchange_of(ctx);
    invoke_fill_request(ctx, exchange);
    json_t *out = invoke_function(ctx, &exchange->generation);
    if (ctx->response.streaming || ctx->response.sent)
        return;
    if (out == NULL)
        edge_fail(ctx, 500, "internal_error", "The function answered nothing");
    exchange->answer_text = edge_json_dump(ctx, out, &exchange->answer_length);
}

void invoke_send_failure(edge_ctx *ctx, struct exchange *exchange)
{
    const struct failure *failure = ctx->failure;
    size_t length = 0;
    char *body = invoke_error_body(ctx, failure, &length);
    if (body == NULL) {
        exchange->ops->abort(exchange);
        return;
    }
    if (!exchange->head_sent) {
        struct answer answer = answer_of(ctx, invoke_error_status(failure), "application/json");
        answer.code = failure->code;
        answer.retry_after_seconds = failure->said.retry_after_seconds;
        respond_json(exchange, &answer, body, length);
    } else if (exchange->event_stream) {
        ctx->ops->event(ctx, "error", body, length);
        exchange->ops->end(exchange);
    } else {
        exchange->ops->abort(exchange); /* cut short is the only thing left to say */
    }
    free(body);
}

static void send_answer(edge_ctx *ctx, struct exchange *exchange)
{
    if (ctx->failure != NULL) {
        invoke_send_failure(ctx, exchange);
    } else if (exchange->head_sent) {
        exchange->ops->end(exchange);
    } else {
        struct answer answer = answer_of(ctx, ctx->response.status, "application/json");
        respond_json(exchange, &answer, exchange->answer_text, exchange->answer_length);
    }
}

/* A crash, or a hang, is told to the invocation as a failure of these codes. */
static bool ended_well(const edge_ctx *ctx)
{
    return ctx->failure == NULL || (strcmp(ctx->failure->code, "function_crashed") != 0 &&
                                       strcmp(ctx->failure->code, "cpu_limit") != 0);
}

static void on_finished(edge_ctx *ctx)
{
    struct exchange *exchange = exchange_of(ctx);
    struct worker *worker = worker_of(exchange->server);
    if (exchange->probe && ended_well(ctx)) {
        registry_recovered(worker->boot->registry, exchange->generation->index);
        log_event(EDGE_LOG_INFO, "generation_recovered", { "function", edge_text(ctx->name) },
            { "generation", edge_text(ctx->generation) });
    }
    int status = ctx->failure != NULL ? invoke_error_status(ctx->failure) : ctx->response.status;
    if (exchange->connection != NULL)
        send_answer(ctx, exchange);
    if (exchange->head_sent)
        status = exchange->status;
    ctx->usage.bytes_out = exchange->bytes_out;
    int64_t duration_us = log_invocation(ctx, status);
    metrics_record(worker->boot->slot, exchange->generation->index, status, duration_us, &ctx->usage);
}

static void on_released(edge_ctx *ctx)
{
    struct exchange *exchange = exchange_of(ctx);
    test_fault_report(ctx);
    exchange_release(exchange);
}

static void on_begin(edge_ctx *ctx, int status, const char *media_type, int64_t length)
{
    struct exchange *exchange = exchange_of(ctx);
    if (exchange->connection == NULL)
        return;
    struct answer answer = answer_of(ctx, status, media_type);
    respond_head(exchange, &answer, length, NULL, 0);
}

static size_t on_write(edge_ctx *ctx, const void *data, size_t length)
{
    struct exchange *exchange = exchange_of(ctx);
    return exchange->connection != NULL ? exchange->ops->data(exchange, data, length) : 0;
}

static ssize_t on_file(edge_ctx *ctx, int fd, int64_t offset, size_t length)
{
    struct exchange *exchange = exchange_of(ctx);
    if (exchange->connection == NULL)
        return (ssize_t)length;
    return exchange->ops->file != NULL ? exchange->ops->file(exchange, fd, offset, length) : -ENOTSUP;
}

/* One block of the event stream format (WHATWG HTML 9.2.5); the JSON is on one line already. */
static size_t on_event(edge_ctx *ctx, const char *event, const char *json, size_t length)
{
    static char *block; /* the worker's one buffer, used up before anything else can run */
    static size_t capacity;
    size_t needed = length + (event != NULL ? strlen(event) : 0) + 32;
    if (needed > capacity) {
        char *grown = realloc(block, needed * 2);
        if (grown == NULL)
            return 0;
        block = grown;
        capacity = needed * 2;
    }
    int head = event != NULL ? snprintf(block, capacity, "event: %s\ndata: ", event)
                             : snprintf(block, capacity, "data: ");
    memcpy(block + head, json, length);
    memcpy(block + head + length, "\n\n", 2);
    return on_write(ctx, block, (size_t)head + length + 2);
}

static void on_abort(edge_ctx *ctx)
{
    struct exchange *exchange = exchange_of(ctx);
    if (exchange->connection != NULL)
        exchange->ops->abort(exchange);
}

static const struct context_ops http_ops = {
    .main = on_main,
    .finished = on_finished,
    .released = on_released,
    .begin = on_begin,
    .write = on_write,
    .file = on_file,
    .event = on_event,
    .abort = on_abort,
};

edge_ctx *invoke_create(struct worker *worker, struct generation *generation, const struct context_ops *ops,
    void *host, const char *request_id)
{
    const struct function_config *config = generation->config;
    edge_ctx *ctx = context_create(&(const struct context_setup){
        .ops = ops,
        .host = host,
        .function = generation->function,
        .state = generation->state,
        .function_index = generation->index,
        .name = config->name,
        .generation = generation->id,
        .request_id = request_id,
        .env = generation->env,
        .memory_bytes = config->memory_bytes,
        .timeout_ms = config->timeout_ms,
        .finish_on_disconnect = config->finish_on_disconnect,
    });
    if (ctx != NULL && worker->test_clock_us != 0)
        ctx->now_us = worker->test_clock_us;
    return ctx;
}

void invoke_start(struct exchange *exchange, struct generation *generation)
{
    test_fault_arm(exchange);
    edge_ctx *ctx =
        invoke_create(worker_of(exchange->server), generation, &http_ops, exchange, exchange->request_id);
    if (ctx == NULL) {
        respond_error(exchange, 503, "overloaded", "The host is out of memory");
        return;
    }
    exchange->ctx = ctx;
    context_run(ctx);
}

void invoke_host(struct exchange *exchange, const struct context_ops *ops, const char *name,
    size_t memory_bytes, int64_t timeout_ms)
{
    edge_ctx *ctx = context_create(&(const struct context_setup){
        .ops = ops,
        .host = exchange,
        .function_index = -1,
        .name = name,
        .generation = "host",
        .request_id = exchange->request_id,
        .memory_bytes = memory_bytes,
        .timeout_ms = timeout_ms,
    });
    if (ctx == NULL) {
        respond_error(exchange, 503, "overloaded", "The host is out of memory");
        return;
    }
    exchange->ctx = ctx;
    context_run(ctx);
}
