/*
 * /_edge/metrics: all workers' counters for Prometheus. /_internal/metric: a few of them as JSON.
 */
#include "endpoint.h"

#include "http/respond.h"
#include "telemetry/metrics.h"
#include "worker/state.h"

#include <stdio.h>
#include <stdlib.h>

void endpoint_metrics(struct exchange *exchange)
{
    struct worker *worker = worker_of(exchange->server);
    char *text = NULL;
    size_t length = metrics_render(worker->boot->slots, worker->boot->registry, &text);
    if (text == NULL) {
        respond_error(exchange, 503, "overloaded", "The host is out of memory");
        return;
    }
    respond_json(exchange, &(struct answer){ .status = 200, .media_type = METRICS_MEDIA_TYPE }, text, length);
    free(text);
}

void endpoint_counters(struct exchange *exchange)
{
    struct worker *worker = worker_of(exchange->server);
    char text[256];
    int length = snprintf(text, sizeof text, "{\"connections\":%zu,\"exchanges\":%zu,\"accepted\":%llu}",
        worker->server.connection_count, worker->server.exchange_count,
        (unsigned long long)worker->server.accepted);
    respond_json(
        exchange, &(struct answer){ .status = 200, .media_type = "application/json" }, text, (size_t)length);
}
