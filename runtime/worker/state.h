/*
 * What a worker is: one loop, one server, its loaded functions.
 */
#ifndef WORKER_STATE_H
#define WORKER_STATE_H

#include "http/server.h"
#include "worker.h"

#include <stdint.h>

struct generation;
struct route_table;

struct worker {
    struct http_server server; /* first: an exchange's server is its worker */
    const struct worker_boot *boot;
    struct route_table *routes;
    struct generation **generations; /* by index in the configuration; NULL: not loaded */
    size_t failed_loads;             /* enabled functions whose plugin was refused */
    int64_t test_clock_us;           /* development only: what edge_now answers, 0: the clock */
    ev_io control;
    ev_timer sample, drain_limit;
    ev_signal terminate;
    bool crashed; /* a function has; the worker ends */
};

static inline struct worker *worker_of(struct http_server *server)
{
    return (struct worker *)server;
}

#endif
