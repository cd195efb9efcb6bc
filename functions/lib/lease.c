/*
 * Leases. The owner is the invocation, so nobody gives back what another has taken over after it ran out.
 */
#include "lib/lease.h"

static const char release_sql[] = "DELETE FROM edge.leases WHERE name = $1 AND owner = $2";

static void release_at_end(edge_ctx *ctx, void *name)
{
    edge_service_query(ctx, release_sql, edge_text(name), edge_text(edge_request_id(ctx)));
}

bool lease_take(edge_ctx *ctx, const char *name, int64_t seconds)
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
        return false;
    edge_wait_until(ctx, release_at_end, edge_copy(ctx, name));
    return true;
}

void lease_release(edge_ctx *ctx, const char *name)
{
    edge_error ignored;
    edge_rows *released =
        edge_try_service_query(ctx, &ignored, release_sql, edge_text(name), edge_text(edge_request_id(ctx)));

    /* It is tried again when the invocation ends, and runs out by itself. */
    if (released == NULL)
        edge_log(ctx, EDGE_LOG_WARN, "lease_release_failed", { "lease", edge_text(name) },
            { "detail", edge_text(ignored.detail) });
}
