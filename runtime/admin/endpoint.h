/*
 * The host's own endpoints under /_edge/ (and /_internal/, which Supabase's tools ask for).
 */
#ifndef ADMIN_ENDPOINT_H
#define ADMIN_ENDPOINT_H

#include <edge/base.h>

#include <stdbool.h>
#include <stddef.h>

struct exchange;

/* True when the path is the host's: serves it, or refuses the exchange with 404 or 405. */
bool endpoint_refuse(struct exchange *exchange);

/* Answers a complete request for one of them. */
void endpoint_serve(struct exchange *exchange);

/* Ends the host's own invocation with 401 unless the request carries the service key. */
void endpoint_require_service(edge_ctx *ctx, const struct exchange *exchange);

/* One file each. */
void endpoint_live(struct exchange *exchange);
void endpoint_ready(struct exchange *exchange);
void endpoint_metrics(struct exchange *exchange);
void endpoint_openapi(struct exchange *exchange);
void endpoint_functions(struct exchange *exchange);
void endpoint_health(struct exchange *exchange);
void endpoint_counters(struct exchange *exchange);

#endif
