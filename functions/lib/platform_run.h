/*
 * The job row of the platform sync (integration_status, service external_platform_sync; spec crm.md): who runs
 * it, and how far each table has come.
 */
#ifndef LIB_PLATFORM_RUN_H
#define LIB_PLATFORM_RUN_H

#include <edge/edge.h>

struct platform_run {
    edge_ctx *ctx;
    const char *id, *started_at;
    int64_t started_us;
    json_t *tables;     /* what the run so far has done, by table: {"cursor","complete","imported",…} */
    const char *system; /* id of the system profile, NULL when it is not needed or not there */
};

/*
 * Takes the job row; 409 "sync_in_progress" while another run holds it. A run of the last 24 hours that did not
 * finish one of the tables goes on under its id, when that is wanted.
 */
EDGE_RETURNS_NONNULL struct platform_run *platform_run_begin(edge_ctx *ctx, const json_t *tables, bool resume);

/* Finds the system profile, or makes it when make is set. */
void platform_run_find_system(struct platform_run *run, bool make);

/* Renews the lease and keeps a table's state, as one more statement of a page's transaction. $1 run, $2 table,
 * $3 state. */
#define PLATFORM_KEEP_SQL                                                                                      \
    "UPDATE integration_status SET metadata = metadata || jsonb_build_object("                                 \
    "'lease_expires_at', clock_timestamp() + interval '2 minutes',"                                            \
    " 'tables', (metadata -> 'tables') || jsonb_build_object($2::text, $3::jsonb))"                            \
    " WHERE service = 'external_platform_sync' AND metadata ->> 'run_id' = $1 RETURNING id"

/* Ends the run: status ok, or error when a table is not complete or failed. */
void platform_run_end(struct platform_run *run, bool succeeded);

/* Output table of syncExternalPlatformData. */
extern const edge_field platform_output[];

#endif
