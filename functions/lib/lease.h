/*
 * Leases (edge.leases): locks held across provider calls. They free themselves when a host dies, and work
 * behind a connection pooler, which session locks do not (spec README 15).
 */
#ifndef LIB_LEASE_H
#define LIB_LEASE_H

#include <edge/edge.h>

struct lease {
    edge_ctx *ctx;
    const char *name;
    bool held;
};

/*
 * Takes a lease for this invocation, for some seconds at most; NULL when somebody else holds it. What is still
 * held when the invocation has ended, however it ended, is given back then.
 */
struct lease *lease_take(edge_ctx *ctx, const char *name, int64_t seconds);

/*
 * Parks until nobody holds the lease, wait_ms at most; false when somebody still does. Being free is no
 * promise: who was waiting, too, may take it first.
 */
bool lease_wait(edge_ctx *ctx, const char *name, int64_t wait_ms);

/* Gives a lease back now, if it is still held. */
void lease_release(struct lease *lease);

#endif
