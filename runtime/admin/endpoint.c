/*
 * Which endpoint serves which path; see endpoint.h.
 */
#include "endpoint.h"

#include "http/exchange.h"
#include "http/respond.h"
#include "http/token_system.h"

#include <string.h>

static const struct endpoint {
    const char *path;
    void (*serve)(struct exchange *exchange);
} endpoints[] = {
    { "/_edge/live", endpoint_live },
    { "/_edge/ready", endpoint_ready },
    { "/_edge/metrics", endpoint_metrics },
    { "/_edge/openapi.json", endpoint_openapi },
    { "/_edge/functions", endpoint_functions },
    { "/_internal/health", endpoint_health },
    { "/_internal/metric", endpoint_counters },
};

static bool host_path(const struct exchange *exchange)
{
    return strncmp(exchange->target, "/_edge/", 7) == 0 || strncmp(exchange->target, "/_internal/", 11) == 0;
}

static const struct endpoint *find(const struct exchange *exchange)
{
    for (size_t i = 0; i < sizeof endpoints / sizeof endpoints[0]; i++) {
        const char *path = endpoints[i].path;
        if (strlen(path) == exchange->path_length && memcmp(path, exchange->target, exchange->path_length) == 0)
            return &endpoints[i];
    }
    return NULL;
}

void endpoint_require_service(edge_ctx *ctx, const struct exchange *exchange)
{
    const struct token_claims *claims;
    const char *header = exchange_header(exchange, "authorization"), *reason;
    bool bearer = header != NULL && strncmp(header, "Bearer ", 7) == 0;
    if (!bearer || token_identify(ctx, header + 7, strlen(header + 7), &claims, &reason) != TOKEN_SERVICE)
        edge_fail(ctx, 401, "unauthorized", "This needs the service key");
}

bool endpoint_refuse(struct exchange *exchange)
{
    if (!host_path(exchange))
        return false;
    if (find(exchange) == NULL)
        exchange->refused =
            (struct refusal){ .status = 404, .code = "not_found", .message = "The host has no such endpoint" };
    else if (strcmp(exchange->method, "GET") != 0 && strcmp(exchange->method, "HEAD") != 0)
        exchange->refused = (struct refusal){
            .status = 405,
            .code = "method_not_allowed",
            .message = "This endpoint answers GET only",
            .allow = "GET, HEAD",
        };
    return true;
}

void endpoint_serve(struct exchange *exchange)
{
    find(exchange)->serve(exchange);
}
