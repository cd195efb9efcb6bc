/*
 * Leases (edge.leases): locks held across provider calls. They free themselves when a host dies, and work
 * behind a connection pooler, which session locks do not (spec README 15).
 */
#ifndef LIB_LEASE_H
#define LIB_LEASE_H

#include <edge/edge.h>

/*
 * Takes a lease for this invocation, for some seconds at most: true, or false when somebody else holds it. It
 * is given back when the invocation has ended, however it ends, unless lease_release did so before.
 */
bool lease_take(edge_ctx *ctx, const char *name, int64_t seconds);

/* Gives a lease back now; one that is not held is left alone. */
void lease_release(edge_ctx *ctx, const char *name);

#endif
