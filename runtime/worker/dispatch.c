/*
 * From a request's head to who serves it; see dispatch.h.
 */
#include "dispatch.h"

#include "admin/endpoint.h"
#include "http/exchange.h"
#include "http/respond.h"
#include "http/route.h"
#include "http/storage.h"
#include "http/websocket.h"
#include "plugin/generation.h"
#include "plugin/invoke.h"
#include "stale.h"
#include "state.h"
#include "supervisor/registry.h"

#include <context.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void refuse(struct exchange *exchange, int status, const char *code, const char *message)
{
    exchange->refused = (struct refusal){ .status = status, .code = code, .message = message };
}

static bool is_method(const struct exchange *exchange, const char *method)
{
    return strcmp(exchange->method, method) == 0;
}

/* methods is a list with blanks, as a descriptor has it. */
static bool method_allowed(const struct exchange *exchange, const char *methods)
{
    size_t length = strlen(exchange->method);
    for (const char *at = methods; *at != '\0'; at += strspn(at, " ")) {
        size_t word = strcspn(at, " ");
        if (word == length && memcmp(at, exchange->method, word) == 0)
            return true;
        at += word;
    }
    return false;
}

static void check_function(struct exchange *exchange, const struct generation *generation)
{
    const char *methods = generation->function->methods != NULL ? generation->function->methods : "POST";
    if (generation->config->max_body_bytes > 0)
        exchange->body.limit = generation->config->max_body_bytes;
    if (exchange->upgrade)
        return; /* every function can be called over a WebSocket (spec/README.md 16) */
    if (method_allowed(exchange, methods))
        return;
    refuse(exchange, 405, "method_not_allowed", "The function does not answer this method");
    exchange->refused.allow = methods;
}

void dispatch_head(struct exchange *exchange)
{
    struct worker *worker = worker_of(exchange->server);
    context_make_request_id(exchange->request_id);
    if (worker->server.draining)
        exchange->keep_alive = false;
    if (is_method(exchange, "OPTIONS") || endpoint_refuse(exchange) || storage_refuse(exchange))
        return;

    revision_follow(worker);
    const struct routing *routing = worker->revision->routing;
    exchange->scratch = malloc(route_scratch_bytes(routing->routes, exchange->path_length));
    if (exchange->scratch == NULL) {
        refuse(exchange, 503, "overloaded", "The host is out of memory");
        return;
    }
    int found = route_find(
        routing->routes, exchange->target, exchange->path_length, exchange->scratch, &exchange->match);
    if (found == -EINVAL)
        refuse(exchange, 400, "bad_request", "The request path is malformed");
    else if (found < 0)
        refuse(exchange, 404, "function_not_found", "There is no function at this path");
    if (found < 0 || stale_refuse(exchange))
        return;

    struct generation *generation =
        worker->revision->generations[exchange->match.function - routing->config->functions];
    if (generation == NULL) {
        refuse(exchange, 503, "function_not_loaded", "The function is configured but could not be loaded");
        return;
    }
    /* From here on it stays, whatever is loaded while the body comes in. */
    generation_hold(generation);
    exchange->generation = generation;
    check_function(exchange, generation);
    if (!registry_blocks(worker->boot->registry, generation->index))
        return;
    int seconds = registry_admit(worker->boot->registry, generation->index, clock_us(), &exchange->probe);
    if (seconds == 0)
        return;
    refuse(exchange, 503, "function_quarantined", "The function has crashed too often and is being held back");
    exchange->refused.retry_after_seconds = seconds;
}

void dispatch_request(struct exchange *exchange)
{
    if (exchange->request_id[0] == '\0')
        context_make_request_id(exchange->request_id);
    if (exchange->refused.status != 0)
        respond_refusal(exchange);
    else if (is_method(exchange, "OPTIONS"))
        respond_preflight(exchange);
    else if (storage_is_for(exchange))
        storage_serve(exchange);
    else if (exchange->generation == NULL)
        endpoint_serve(exchange);
    else if (exchange->upgrade)
        websocket_upgrade(exchange, exchange->generation);
    else
        invoke_start(exchange, exchange->generation);
}
