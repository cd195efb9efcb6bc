/*
 * How a host and its functions stand, as JSON: for `edge functions` and /_edge/functions.
 */
#ifndef SUPERVISOR_STATUS_H
#define SUPERVISOR_STATUS_H

#include "supervisor/registry.h"

#include <jansson.h>

struct slots;
struct supervisor;

/* {"name","state","generation","canary"?,"previous":[…],"since"?,"problem"?:{"reason","at"},"calls","errors",
 * "crashes","p50Ms","p99Ms"}
 * of each function that functions.toml has. */
json_t *status_functions(const struct registry *registry, const struct slots *slots);

/* {"ok":true,"pid","revision","address","tls","workers","functions"} */
json_t *status_json(const struct supervisor *supervisor);

#endif
