/*
 * State of a Lofty sync in crm_connections.sync_settings.sync (spec crm.md, loftySync): who runs it, and how
 * far each section has come. Every write merges, so the switches beside it stay; a page's rows and the cursor
 * behind them are one transaction of the acting user.
 */
#ifndef LIB_LOFTY_STATE_H
#define LIB_LOFTY_STATE_H

#include <edge/edge.h>

enum {
    LOFTY_LEASE_SECONDS = 60,
};

struct lofty_run {
    edge_ctx *ctx;
    const char *connection; /* id of its row */
    const char *id;
    const char *started_at; /* the database's clock, ISO 8601 */
    json_t *state;          /* sync_settings.sync as it was when the run began */
    char *buffer;           /* of a page's rows as JSON, used again for every page */
    size_t buffer_size;
};

/* Takes the lease; 409 "sync_in_progress" with the holder's runId while somebody else has it. */
EDGE_RETURNS_NONNULL struct lofty_run *lofty_run_begin(edge_ctx *ctx, const char *connection);

/* Renews the lease, for long waits. False when another run has taken over. */
bool lofty_run_renew(struct lofty_run *run);

struct lofty_written {
    size_t created, updated;
    bool is_lost;   /* another run has taken over: nothing was written */
    json_t *errors; /* texts of rows that could not be written */
};

/*
 * Writes a page's rows into contacts or transactions, as section says, and the section's state with its cursor.
 * When PostgreSQL refuses one of the rows, the others are written one by one, and those that it refuses become
 * errors.
 */
struct lofty_written lofty_run_commit(
    struct lofty_run *run, const char *section, json_t *rows, const json_t *state);

/*
 * Ends the run: what it did, and the lease given back. Returns last_sync_at as ISO 8601, which becomes now when
 * all that was asked for is complete; NULL when there is none.
 */
const char *lofty_run_end(struct lofty_run *run, size_t count, const json_t *errors, bool complete);

/* Output table of loftySync: of all its actions. */
extern const edge_field lofty_output[];

/* The answer of action "status": whether a run is under way, and how far each section has come. */
json_t *lofty_status(edge_ctx *ctx, const char *connection);

#endif
