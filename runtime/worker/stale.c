/*
 * Functions whose source is newer than what is served; see stale.h.
 */
#include "stale.h"

#include "config/config.h"
#include "http/exchange.h"
#include "http/respond.h"
#include "plugin/routing.h"
#include "state.h"
#include "supervisor/registry.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static int index_of(const struct exchange *exchange, const struct registry *registry)
{
    return registry_find(registry, exchange->match.function->name);
}

/* The compiler's text goes into the answer's JSON, in memory that is nobody's invocation. */
static void answer(struct exchange *exchange)
{
    char text[REGISTRY_STALE_BYTES];
    const struct registry *registry = worker_of(exchange->server)->boot->registry;
    const struct refusal *refused = &exchange->refused;
    registry_stale_text(registry, index_of(exchange, registry), text);
    json_t *body = json_pack("{s:s, s:s, s:s, s:s}", "error", refused->message, "code", refused->code,
        "requestId", exchange->request_id, "compiler", text);
    char *dumped = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    if (dumped == NULL) {
        respond_error(exchange, 503, "overloaded", "The host is out of memory");
        return;
    }
    const struct answer said = { .status = 503, .media_type = "application/json", .code = refused->code };
    respond_json(exchange, &said, dumped, strlen(dumped));
    free(dumped);
}

bool stale_refuse(struct exchange *exchange)
{
    const struct worker *worker = worker_of(exchange->server);
    const struct registry *registry = worker->boot->registry;
    if (registry->staleness == STALENESS_UNKNOWN)
        return false;
    exchange->stale = registry_is_stale(registry, index_of(exchange, registry));
    bool served =
        worker->revision
            ->generations[exchange->match.function - worker->revision->routing->config->functions] != NULL;
    if (!exchange->stale || (served && registry->staleness != STALENESS_REFUSED))
        return false;
    exchange->refused = (struct refusal){
        .status = 503,
        .code = "function_stale",
        .message = "The function's newest source could not be built or loaded",
        .answer = answer,
    };
    return true;
}
