/*
 * /_edge/live: the worker's loop turns. /_internal/health: the same in Supabase's words.
 */
#include "endpoint.h"

#include "http/respond.h"

void endpoint_live(struct exchange *exchange)
{
    static const char body[] = "{\"status\":\"ok\"}";
    respond_json(
        exchange, &(struct answer){ .status = 200, .media_type = "application/json" }, body, sizeof body - 1);
}

void endpoint_health(struct exchange *exchange)
{
    static const char body[] = "{\"message\":\"ok\"}";
    respond_json(
        exchange, &(struct answer){ .status = 200, .media_type = "application/json" }, body, sizeof body - 1);
}
