/*
 * Configurations in use; see routing.h.
 */
#include "routing.h"

#include "config/config.h"
#include "http/route.h"

#include <errno.h>
#include <stdlib.h>

int routing_create(
    const struct config *config, struct config *owned, struct routing **out, struct route_error *error)
{
    struct routing *routing = calloc(1, sizeof *routing);
    if (routing == NULL)
        return -ENOMEM;
    int result = route_table_create(config->functions, config->function_count, &routing->routes, error);
    if (result < 0) {
        free(routing);
        return result;
    }
    routing->config = config;
    routing->owned = owned;
    routing->users = 1;
    *out = routing;
    return 0;
}

void routing_use(struct routing *routing)
{
    routing->users++;
}

void routing_release(struct routing *routing)
{
    if (--routing->users > 0)
        return;
    route_table_free(routing->routes);
    config_free(routing->owned);
    free(routing);
}
