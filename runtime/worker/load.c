/*
 * Loading the functions of the configuration; see load.h.
 */
#include "load.h"

#include "http/route.h"
#include "plugin/generation.h"
#include "state.h"

#include <context.h>
#include <log.h>

#include <errno.h>
#include <stdlib.h>

static bool wanted(const struct worker *worker, const struct function_config *function)
{
    return function->enabled && (!function->sandbox || worker->boot->sandbox);
}

static void load_one(struct worker *worker, int index)
{
    const struct config *config = worker->boot->config;
    struct load_error error = { "" };
    int result = generation_load(config, &config->functions[index], index, &worker->generations[index], &error);
    if (result == 0)
        return;
    worker->failed_loads++;
    log_event(EDGE_LOG_ERROR, "function_not_loaded", { "function", edge_text(config->functions[index].name) },
        { "reason", edge_text(error.text) });
}

int load_functions(struct worker *worker)
{
    const struct config *config = worker->boot->config;
    struct route_error error = { "" };
    worker->generations = calloc(config->function_count + 1, sizeof *worker->generations);
    if (worker->generations == NULL)
        return -ENOMEM;

    int result = route_table_create(config->functions, config->function_count, &worker->routes, &error);
    if (result < 0) {
        log_event(EDGE_LOG_ERROR, "routes_refused", { "reason", edge_text(error.text) });
        return result;
    }
    int64_t started_us = clock_us();
    int loaded = 0;
    for (size_t i = 0; i < config->function_count; i++) {
        if (!wanted(worker, &config->functions[i]))
            continue;
        load_one(worker, (int)i);
        loaded += worker->generations[i] != NULL;
    }
    log_event(EDGE_LOG_INFO, "functions_loaded", { "count", edge_int(loaded) },
        { "refused", edge_int((int64_t)worker->failed_loads) }, { "us", edge_int(clock_us() - started_us) });
    return 0;
}

void unload_functions(struct worker *worker)
{
    for (size_t i = 0; worker->generations != NULL && i < worker->boot->config->function_count; i++)
        if (worker->generations[i] != NULL)
            generation_drop(worker->generations[i]);
    free(worker->generations);
    route_table_free(worker->routes);
}
