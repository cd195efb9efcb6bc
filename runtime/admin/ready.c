/*
 * /_edge/ready: every plugin is loaded and the database answers. 200 or 503, with the reasons. For who has the
 * service key ?verbose adds the configuration that is missing, by name.
 */
#include "endpoint.h"

#include "config/needs.h"
#include "http/exchange.h"
#include "http/respond.h"
#include "plugin/generation.h"
#include "plugin/invoke.h"
#include "worker/state.h"

#include <edge/db.h>
#include <edge/json.h>

#include <context.h>
#include <crypto.h>

#include <stdlib.h>
#include <string.h>

enum {
    READY_MEMORY = 256 * 1024,
    VERBOSE_MEMORY = 4 * 1024 * 1024, /* a hundred functions' variables, as jansson holds them */
    READY_TIMEOUT_MS = 2000
};

/* "not_configured" is ready as well: a host may serve functions that need no database. */
static const char *database_state(edge_ctx *ctx, const struct config *config)
{
    if (config->database.url == NULL)
        return "not_configured";
    edge_error error;
    return edge_try_service_query(ctx, &error, "SELECT 1") != NULL ? "ok" : "unavailable";
}

static json_t *missing_functions(const struct worker *worker)
{
    const struct config *config = worker->revision->routing->config;
    json_t *missing = json_array();
    for (size_t i = 0; i < config->function_count; i++) {
        const struct function_config *function = &config->functions[i];
        bool wanted = function->enabled && (!function->sandbox || worker->boot->sandbox);
        if (wanted && worker->revision->generations[i] == NULL)
            json_array_append_new(missing, json_string(function->name));
    }
    return missing;
}

static bool is_verbose(const struct exchange *exchange)
{
    static const char word[] = "verbose";
    const char *at = exchange->target + exchange->path_length;
    while (*at == '?' || *at == '&') {
        size_t length = strcspn(++at, "&");
        if (strcspn(at, "=&") == sizeof word - 1 && strncmp(at, word, sizeof word - 1) == 0)
            return true;
        at += length;
    }
    return false;
}

/* What the environment lacks, as `edge env --check --json` says it. The encryption key is not in it any more.
 */
static json_t *missing_configuration(const struct worker *worker)
{
    const struct config *config = worker->revision->routing->config;
    json_t *needs = needs_of(config);
    for (size_t i = 0; i < config->function_count; i++) {
        const struct generation *generation = worker->revision->generations[i];
        if (generation != NULL && !config->functions[i].sandbox && generation->plugin->seals)
            needs_add(needs, "EDGE_ENCRYPTION_KEY", NEED_FEATURE, crypto_can_seal(), config->functions[i].name);
    }
    return needs_missing(needs);
}

static void on_main(edge_ctx *ctx)
{
    struct exchange *exchange = ctx->host;
    struct worker *worker = worker_of(exchange->server);
    if (is_verbose(exchange))
        endpoint_require_service(ctx, exchange);
    const char *database = database_state(ctx, worker->boot->config);
    json_t *missing = missing_functions(worker);
    bool ready = strcmp(database, "unavailable") != 0 && json_array_size(missing) == 0;
    ctx->response.status = ready ? 200 : 503;
    json_t *out = json_pack("{s:s, s:s, s:o}", "status", ready ? "ready" : "not_ready", "database", database,
        "functionsNotLoaded", missing);
    if (!ready) {
        json_object_set_new(out, "error", json_string("The host is not ready"));
        json_object_set_new(out, "code", json_string("not_ready"));
        json_object_set_new(out, "requestId", json_string(ctx->request_id));
    }
    if (is_verbose(exchange))
        json_object_set_new(out, "missingConfiguration", missing_configuration(worker));
    exchange->answer_text = edge_json_dump(ctx, out, &exchange->answer_length);
}

static void on_finished(edge_ctx *ctx)
{
    struct exchange *exchange = ctx->host;
    if (exchange->connection == NULL)
        return;
    if (ctx->failure != NULL && is_verbose(exchange)) {
        invoke_send_failure(ctx, exchange);
        return;
    }
    if (ctx->failure != NULL) {
        respond_error(exchange, 503, "not_ready", "The host is not ready");
        return;
    }
    struct answer answer = { .status = ctx->response.status, .media_type = "application/json" };
    answer.code = answer.status == 200 ? NULL : "not_ready";
    respond_json(exchange, &answer, exchange->answer_text, exchange->answer_length);
}

static void on_released(edge_ctx *ctx)
{
    exchange_release(ctx->host);
}

void endpoint_ready(struct exchange *exchange)
{
    static const struct context_ops ops = { .main = on_main, .finished = on_finished, .released = on_released };
    size_t memory = is_verbose(exchange) ? VERBOSE_MEMORY : READY_MEMORY;
    invoke_host(exchange, &ops, "_edge/ready", memory, READY_TIMEOUT_MS);
}
