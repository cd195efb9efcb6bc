/*
 * Leases. The owner is the invocation, so nobody gives back what another has taken over after it ran out.
 */
#include "lib/lease.h"

enum {
    POLL_MS = 100,
};

static void release_at_end(edge_ctx *ctx, void *lease)
{
    (void)ctx;
    lease_release(lease);
}

/*
 * What gives it back is there before the lease is: once the row is written, its answer may still get lost, and
 * the invocation end here. To give back what somebody else holds does nothing, since the owner is asked for.
 */
struct lease *lease_take(edge_ctx *ctx, const char *name, int64_t seconds)
{
    struct lease *lease = edge_alloc(ctx, sizeof *lease);
    *lease = (struct lease){ .ctx = ctx, .name = edge_copy(ctx, name), .held = true };
    edge_wait_until(ctx, release_at_end, lease);

    edge_rows *taken = edge_service_query(ctx,
        "INSERT INTO edge.leases (name, owner, expires_at)"
        " VALUES ($1, $2, now() + make_interval(secs => $3))"
        " ON CONFLICT (name) DO UPDATE"
        " SET owner = EXCLUDED.owner, expires_at = EXCLUDED.expires_at"
        " WHERE edge.leases.expires_at < now()"
        " RETURNING name",
        edge_text(name), edge_text(edge_request_id(ctx)), edge_number((double)seconds));

    lease->held = edge_rows_count(taken) > 0;
    return lease->held ? lease : NULL;
}

/* Asked for again and again, because a notification does not come through a connection pooler. */
bool lease_wait(edge_ctx *ctx, const char *name, int64_t wait_ms)
{
    for (int64_t end = edge_now_exact() + wait_ms * 1000;;) {
        edge_rows *held = edge_service_query(
            ctx, "SELECT FROM edge.leases WHERE name = $1 AND expires_at >= now()", edge_text(name));
        if (edge_rows_count(held) == 0)
            return true;
        if (edge_now_exact() >= end)
            return false;
        edge_sleep(ctx, POLL_MS);
    }
}

void lease_release(struct lease *lease)
{
    if (!lease->held)
        return;

    /* What cannot be given back runs out. Held until it has been tried: the invocation may end in this call. */
    edge_error error;
    edge_rows *released =
        edge_try_service_query(lease->ctx, &error, "DELETE FROM edge.leases WHERE name = $1 AND owner = $2",
            edge_text(lease->name), edge_text(edge_request_id(lease->ctx)));
    lease->held = false;
    if (released == NULL)
        edge_log(lease->ctx, EDGE_LOG_WARN, "lease_release_failed", { "lease", edge_text(lease->name) },
            { "detail", edge_text(error.detail) });
}
