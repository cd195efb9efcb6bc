/*
 * What a worker is: one loop, one server, its loaded functions.
 */
#ifndef WORKER_STATE_H
#define WORKER_STATE_H

#include "http/server.h"
#include "revision.h"
#include "worker.h"

#include <stdint.h>

struct mapped;

struct worker {
    struct http_server server; /* first: an exchange's server is its worker */
    const struct worker_boot *boot;
    struct revision *revision; /* is served */
    struct revision *prepared; /* will be; NULL: none */
    struct mapped *mapped;     /* builds that are loaded */
    int64_t test_clock_us;     /* development only: what edge_now answers, 0: the clock */
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
