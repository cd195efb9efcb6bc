/*
 * /_edge/openapi.json: what this host serves. It is made once for the functions that are loaded, and again when
 * one of them has changed.
 */
#include "endpoint.h"

#include "http/exchange.h"
#include "http/respond.h"
#include "plugin/generation.h"
#include "telemetry/openapi.h"
#include "worker/state.h"

#include <stdlib.h>
#include <string.h>

/* The worker's; of the functions whose builds and settings gave this mark. */
static struct {
    char *text;
    size_t length;
    uint64_t mark;
} made;

static uint64_t mix(uint64_t hash, const void *data, size_t length)
{
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ ((const unsigned char *)data)[i]) * UINT64_C(1099511628211);
    return hash;
}

/* Stand-ins for providers are no part of what is offered. */
static size_t collect(const struct worker *worker, struct openapi_function *entries, uint64_t *mark)
{
    const struct config *config = worker->revision->routing->config;
    size_t count = 0;
    *mark = mix(UINT64_C(14695981039346656037), &config, sizeof config);
    for (size_t i = 0; i < config->function_count; i++) {
        const struct generation *generation = worker->revision->generations[i];
        if (generation == NULL || generation->config->sandbox)
            continue;
        *mark = mix(*mark, &generation, sizeof generation);
        *mark = mix(*mark, generation->id, strlen(generation->id) + 1);
        entries[count++] =
            (struct openapi_function){ generation->config, generation->function, generation->id };
    }
    return count;
}

static void make(const struct worker *worker)
{
    size_t room = worker->revision->routing->config->function_count;
    struct openapi_function *entries = calloc(room + 1, sizeof *entries);
    if (entries == NULL)
        return;
    uint64_t mark = 0;
    size_t count = collect(worker, entries, &mark);
    if (made.text == NULL || made.mark != mark) {
        free(made.text);
        made.text = openapi_text(entries, count, &made.length);
        made.mark = mark;
    }
    free(entries);
}

void endpoint_openapi(struct exchange *exchange)
{
    make(worker_of(exchange->server));
    if (made.text == NULL) {
        respond_error(exchange, 503, "overloaded", "The host is out of memory");
        return;
    }
    respond_json(
        exchange, &(struct answer){ .status = 200, .media_type = "application/json" }, made.text, made.length);
}
