/*
 * Leases. The owner is the invocation, so nobody gives back what another has taken over after it ran out.
 */
#include "lib/lease.h"

static void release_at_end(edge_ctx *ctx, void *lease)
{
    (void)ctx;
    lease_release(lease);
}

struct lease *lease_take(edge_ctx *ctx, const char *name, int64_t seconds)
{
    edge_rows *taken = edge_service_query(ctx,
        "INSERT INTO edge.leases (name, owner, expires_at)"
        " VALUES ($1, $2, now() + make_interval(secs => $3))"
        " ON CONFLICT (name) DO UPDATE"
        " SET owner = EXCLUDED.owner, expires_at = EXCLUDED.expires_at"
        " WHERE edge.leases.expires_at < now()"
        " RETURNING name",
        edge_text(name), edge_text(edge_request_id(ctx)), edge_number((double)seconds));

    if (edge_rows_count(taken) == 0)
        return NULL;
    struct lease *lease = edge_alloc(ctx, sizeof *lease);
    *lease = (struct lease){ .ctx = ctx, .name = edge_copy(ctx, name), .held = true };
    edge_wait_until(ctx, release_at_end, lease);
    return lease;
}

void lease_release(struct lease *lease)
{
    if (!lease->held)
        return;
    lease->held = false;

    /* What cannot be given back runs out. */
    edge_error error;
    edge_rows *released =
        edge_try_service_query(lease->ctx, &error, "DELETE FROM edge.leases WHERE name = $1 AND owner = $2",
            edge_text(lease->name), edge_text(edge_request_id(lease->ctx)));
    if (released == NULL)
        edge_log(lease->ctx, EDGE_LOG_WARN, "lease_release_failed", { "lease", edge_text(lease->name) },
            { "detail", edge_text(error.detail) });
}
