/*
 * The job row of the platform sync.
 */
#include "lib/platform_run.h"

#include <string.h>

#define SERVICE "external_platform_sync"

static bool has_open_table(const json_t *done, const json_t *wanted)
{
    size_t i;
    json_t *name;
    json_array_foreach(wanted, i, name)
    {
        const json_t *table = json_object_get(done, json_string_value(name));
        if (!edge_json_bool(table, "complete", false))
            return true;
    }
    return false;
}

/* A run that may be gone on with: not whole, and of the last day. */
static bool may_go_on(const edge_rows *row, const json_t *tables)
{
    if (edge_rows_count(row) == 0 || !edge_rows_bool(row, 0, "is_recent"))
        return false;
    const json_t *done = json_object_get(edge_rows_value(row, 0, "metadata"), "tables");
    const char *status = edge_rows_text(row, 0, "status");
    return json_object_size(done) > 0 && strcmp(status, "ok") != 0 && has_open_table(done, tables);
}

static edge_rows *take(edge_tx *tx, const char *run_id, const char *started_at, const json_t *tables)
{
    return edge_tx_query(tx,
        "INSERT INTO integration_status AS s (service, status, metadata)"
        " VALUES ('" SERVICE "', 'running', jsonb_build_object('run_id', $1::text,"
        " 'run_started_at', coalesce($2::timestamptz, clock_timestamp()),"
        " 'lease_expires_at', clock_timestamp() + interval '2 minutes', 'tables', $3::jsonb))"
        " ON CONFLICT (service) DO UPDATE SET status = 'running', metadata = EXCLUDED.metadata"
        " WHERE s.status <> 'running' OR coalesce((s.metadata ->> 'lease_expires_at')::timestamptz < "
        "clock_timestamp(), true)"
        " RETURNING metadata ->> 'run_started_at' AS started_at, (metadata ->> 'run_started_at')::timestamptz "
        "AS started",
        edge_text(run_id), edge_text(started_at), edge_json(tables));
}

struct platform_run *platform_run_begin(edge_ctx *ctx, const json_t *tables, bool resume)
{
    struct platform_run *run = edge_alloc(ctx, sizeof *run);
    EDGE_TRANSACTION(ctx, tx, .service = true)
    {
        edge_rows *row = edge_tx_query(tx, "SELECT status, metadata,"
                                           " coalesce((metadata ->> 'run_started_at')::timestamptz > now() - "
                                           "interval '24 hours', false) AS is_recent"
                                           " FROM integration_status WHERE service = '" SERVICE "' FOR UPDATE");
        *run = (struct platform_run){ .ctx = ctx, .id = edge_uuid_v4(ctx), .tables = json_object() };
        if (resume && may_go_on(row, tables)) {
            json_t *metadata = edge_rows_value(row, 0, "metadata");
            run->id = edge_json_text(metadata, "run_id");
            run->started_at = edge_json_text(metadata, "run_started_at");
            run->tables = json_object_get(metadata, "tables");
        }
        edge_rows *taken = take(tx, run->id, run->started_at, run->tables);
        if (edge_rows_count(taken) == 0)
            edge_fail(ctx, 409, "sync_in_progress", "A platform sync is running already");
        run->started_at = edge_rows_text(taken, 0, "started_at");
        run->started_us = edge_rows_time(taken, 0, "started");
    }
    return run;
}

void platform_run_find_system(struct platform_run *run, bool make)
{
    edge_rows *rows[2];
    edge_service_query_batch(run->ctx, rows,
        EDGE_SQL("INSERT INTO profiles (id, email, full_name)"
                 " SELECT 'system', 'system@pulse.ai', 'System'"
                 " WHERE $1 AND NOT EXISTS (SELECT FROM profiles WHERE lower(email) = 'system@pulse.ai')"
                 " ON CONFLICT (id) DO NOTHING",
            edge_bool(make)),
        EDGE_SQL(
            "SELECT id FROM profiles WHERE lower(email) = 'system@pulse.ai' ORDER BY created_at, id LIMIT 1"));
    run->system = edge_rows_count(rows[1]) > 0 ? edge_rows_text(rows[1], 0, "id") : NULL;
}

void platform_run_end(struct platform_run *run, bool succeeded)
{
    edge_service_query(run->ctx,
        "UPDATE integration_status SET status = $2, last_checked = now(),"
        " metadata = metadata || '{\"lease_expires_at\": null}'"
        " WHERE service = '" SERVICE "' AND metadata ->> 'run_id' = $1",
        edge_text(run->id), edge_text(succeeded ? "ok" : "error"));
}

static const edge_field text = { .type = EDGE_TEXT };
static const edge_field result_fields[] = {
    { "cursor", EDGE_TEXT, .help = "Where it goes on" },
    { "count", EDGE_INT, .help = "Rows of the source; of a dry run" },
    { "fetched", EDGE_INT, .help = "Rows read" },
    { "imported", EDGE_INT, .help = "Rows written" },
    { "created", EDGE_INT, .help = "Of these, new ones" },
    { "updated", EDGE_INT, .help = "Of these, changed ones" },
    { "skipped", EDGE_INT, .help = "Rows that could not be used" },
    { "pruned", EDGE_INT, .help = "Rows deleted because the source has none" },
    { "errorCount", EDGE_INT, .help = "Rows with errors" },
    { "errors", EDGE_ARRAY, .items = &text, .required = true, .help = "The first of them" },
    { "complete", EDGE_BOOL, .help = "Whether it was read to its end" },
    { 0 },
};
static const edge_field result = { .type = EDGE_OBJECT, .fields = result_fields };

const edge_field platform_output[] = {
    { "success", EDGE_BOOL, .required = true, .help = "true" },
    { "dryRun", EDGE_BOOL, .required = true, .help = "Whether rows were only counted" },
    { "runId", EDGE_UUID, .help = "The run that was kept" },
    { "complete", EDGE_BOOL, .required = true, .help = "Whether all tables were read to their ends" },
    { "results", EDGE_MAP, .items = &result, .required = true, .help = "By table" },
    { "systemUserId", EDGE_TEXT, .help = "Who owns rows without a user" },
    { 0 },
};
