/*
 * State of a Lofty sync.
 */
#include "lib/lofty_state.h"

#include <string.h>

#define OBJECT(value) "CASE WHEN jsonb_typeof(" value ") = 'object' THEN " value " ELSE '{}' END"
#define SETTINGS OBJECT("sync_settings")
#define SYNC OBJECT("sync_settings -> 'sync'")
#define LEASE_OF(run)                                                                                          \
    "jsonb_build_object('run_id', " run "::text, 'expires_at', clock_timestamp() + interval '60 seconds')"
#define IS_OURS "sync_settings #>> '{sync,lease,run_id}' = $2"

struct lofty_run *lofty_run_begin(edge_ctx *ctx, const char *connection)
{
    struct lofty_run *run = edge_alloc(ctx, sizeof *run);
    *run = (struct lofty_run){ .ctx = ctx, .connection = connection, .id = edge_uuid_v4(ctx) };
    edge_rows *taken = edge_query(ctx,
        "UPDATE crm_connections"
        " SET sync_settings = " SETTINGS " || jsonb_build_object('sync', " SYNC
        " || jsonb_build_object('lease', " LEASE_OF(
            "$2") "))"
                  " WHERE id = $1 AND ("
                  " sync_settings #>> '{sync,lease,expires_at}' IS NULL"
                  " OR (sync_settings #>> '{sync,lease,expires_at}')::timestamptz < clock_timestamp())"
                  " RETURNING sync_settings -> 'sync' AS state, to_jsonb(now()) AS started_at",
        edge_uuid(connection), edge_text(run->id));
    if (edge_rows_count(taken) == 0) {
        edge_rows *holder = edge_query(ctx,
            "SELECT sync_settings #>> '{sync,lease,run_id}' AS id FROM crm_connections WHERE id = $1",
            edge_uuid(connection));
        const char *id = edge_rows_count(holder) > 0 ? edge_rows_text(holder, 0, "id") : NULL;
        edge_fail_with(ctx, 409, "sync_in_progress", .message = "A sync of this connection is running already",
            .extra = json_pack("{s:s?}", "runId", id));
    }
    run->state = edge_rows_value(taken, 0, "state");
    run->started_at = json_string_value(edge_rows_value(taken, 0, "started_at"));
    return run;
}

bool lofty_run_renew(struct lofty_run *run)
{
    edge_rows *renewed = edge_query(run->ctx,
        "UPDATE crm_connections"
        " SET sync_settings = jsonb_set(sync_settings, '{sync,lease}', " LEASE_OF(
            "$2") ")"
                  " WHERE id = $1 AND " IS_OURS " RETURNING id",
        edge_uuid(run->connection), edge_text(run->id));
    return edge_rows_count(renewed) > 0;
}

/* Before the rows: it locks the connection, so that nobody takes over between the two statements. */
#define KEEP_STATE                                                                                             \
    "UPDATE crm_connections"                                                                                   \
    " SET sync_settings = sync_settings || jsonb_build_object('sync', " SYNC                                   \
    " || jsonb_build_object('lease', " LEASE_OF("$2") ", $3::text, $4::jsonb))"                                \
                                                      " WHERE id = $1 AND " IS_OURS " RETURNING id"

#define WHILE_OURS " WHERE EXISTS (SELECT FROM crm_connections WHERE id = $1 AND " IS_OURS ")"
#define COUNT_WRITTEN                                                                                          \
    " RETURNING (xmax = 0) AS is_new)"                                                                         \
    " SELECT count(*) FILTER (WHERE is_new) AS created, count(*) FILTER (WHERE NOT is_new) AS updated FROM "   \
    "written"

/* Of rows with one id on a page the last one counts. */
#define WRITE_CONTACTS                                                                                         \
    "WITH page AS ("                                                                                           \
    " SELECT DISTINCT ON (r.external_id) r.*"                                                                  \
    " FROM jsonb_array_elements($4::jsonb) WITH ORDINALITY AS e(value, n),"                                    \
    " jsonb_to_record(e.value) AS r(external_id text, name text, email text, phone text, status text,"         \
    " source_updated_at timestamptz, metadata jsonb)"                                                          \
    " ORDER BY r.external_id, e.n DESC"                                                                        \
    "), written AS ("                                                                                          \
    " INSERT INTO contacts AS c (user_id, source, external_id, name, email, phone, status, metadata,"          \
    " source_updated_at)"                                                                                      \
    " SELECT $3, 'lofty', external_id, name, email, phone, status, metadata, source_updated_at"                \
    " FROM page" WHILE_OURS " ORDER BY external_id"                                                            \
    " ON CONFLICT (user_id, source, external_id) DO UPDATE"                                                    \
    " SET name = EXCLUDED.name, email = EXCLUDED.email, phone = EXCLUDED.phone, status = EXCLUDED.status,"     \
    " metadata = c.metadata || EXCLUDED.metadata, source_updated_at = "                                        \
    "EXCLUDED.source_updated_at" COUNT_WRITTEN

#define WRITE_DEALS                                                                                            \
    "WITH page AS ("                                                                                           \
    " SELECT DISTINCT ON (r.external_id) r.*"                                                                  \
    " FROM jsonb_array_elements($4::jsonb) WITH ORDINALITY AS e(value, n),"                                    \
    " jsonb_to_record(e.value) AS r(external_id text, transaction_type text, property_address text,"           \
    " client_name text, status text, expected_close_date date, gci numeric, home_price numeric,"               \
    " commission_rate numeric, metadata jsonb)"                                                                \
    " ORDER BY r.external_id, e.n DESC"                                                                        \
    "), written AS ("                                                                                          \
    " INSERT INTO transactions AS t (user_id, transaction_type, property_address, client_name, status,"        \
    " expected_close_date, commission_amount, metadata)"                                                       \
    " SELECT $3, transaction_type, property_address, client_name, status, expected_close_date,"                \
    " CASE WHEN gci >= 0 THEN gci ELSE round(home_price * commission_rate / 100, 2) END, metadata"             \
    " FROM page" WHILE_OURS " ORDER BY external_id"                                                            \
    " ON CONFLICT (user_id, (metadata ->> 'lofty_id')) WHERE metadata ? 'lofty_id' DO UPDATE"                  \
    " SET transaction_type = EXCLUDED.transaction_type, property_address = EXCLUDED.property_address,"         \
    " client_name = EXCLUDED.client_name, status = EXCLUDED.status,"                                           \
    " expected_close_date = EXCLUDED.expected_close_date, commission_amount = EXCLUDED.commission_amount,"     \
    " metadata = t.metadata || EXCLUDED.metadata" COUNT_WRITTEN

static const char *write_of(const char *section)
{
    return strcmp(section, "contacts") == 0 ? WRITE_CONTACTS : WRITE_DEALS;
}

/* The rows as text in a buffer that every page uses again: a hundred thousand of them take no more than one
 * page. */
static const char *dump(struct lofty_run *run, const json_t *rows)
{
    enum {
        FLAGS = JSON_COMPACT | JSON_REAL_PRECISION(15)
    };
    size_t length = json_dumpb(rows, run->buffer, run->buffer_size, FLAGS);
    if (length >= run->buffer_size) {
        run->buffer_size = length * 2 + 1;
        run->buffer = edge_alloc(run->ctx, run->buffer_size);
        length = json_dumpb(rows, run->buffer, run->buffer_size, FLAGS);
    }
    run->buffer[length] = '\0';
    return run->buffer;
}

/* Classes 21 to 23: the data's fault, and not the connection's or ours. */
static bool is_of_data(const edge_error *error)
{
    return error->detail != NULL && error->detail[0] == '2' && strchr("123", error->detail[1]) != NULL;
}

static void count(struct lofty_written *written, const edge_rows *rows)
{
    written->created += (size_t)edge_rows_int(rows, 0, "created");
    written->updated += (size_t)edge_rows_int(rows, 0, "updated");
}

/* Each row in a transaction of its own. They are upserts: one that is written twice after a crash is written
 * once. */
static void write_one_by_one(
    struct lofty_run *run, const char *section, const json_t *rows, struct lofty_written *written)
{
    json_t *row;
    size_t i;
    json_array_foreach(rows, i, row)
    {
        json_t *one = json_pack("[O]", row);
        edge_error error;
        edge_rows *result = edge_try_query(run->ctx, &error, write_of(section), edge_uuid(run->connection),
            edge_text(run->id), edge_text(edge_auth_user(run->ctx)), edge_text(dump(run, one)));
        json_decref(one);
        if (result != NULL)
            count(written, result);
        else if (is_of_data(&error))
            json_array_append_new(written->errors, json_sprintf("%s %s could not be stored (%.5s)", section,
                                                       edge_json_text(row, "external_id"), error.detail));
        else
            edge_fail_error(run->ctx, &error);
    }
}

struct lofty_written lofty_run_commit(
    struct lofty_run *run, const char *section, json_t *rows, const json_t *state)
{
    edge_ctx *ctx = run->ctx;
    struct lofty_written written = { .errors = json_array() };
    edge_rows *results[2];
    edge_error error;
    const edge_arg id = edge_uuid(run->connection), ours = edge_text(run->id);
    if (edge_try_query_batch(ctx, &error, results,
            EDGE_SQL(KEEP_STATE, id, ours, edge_text(section), edge_json(state)),
            EDGE_SQL(
                write_of(section), id, ours, edge_text(edge_auth_user(ctx)), edge_text(dump(run, rows))))) {
        written.is_lost = edge_rows_count(results[0]) == 0;
        count(&written, results[1]);
        return written;
    }
    if (!is_of_data(&error))
        edge_fail_error(ctx, &error);
    write_one_by_one(run, section, rows, &written);
    edge_rows *kept = edge_query(ctx, KEEP_STATE, id, ours, edge_text(section), edge_json(state));
    written.is_lost = edge_rows_count(kept) == 0;
    return written;
}

const char *lofty_run_end(struct lofty_run *run, size_t count, const json_t *errors, bool complete)
{
    edge_rows *ended = edge_query(run->ctx,
        "UPDATE crm_connections"
        " SET sync_settings = sync_settings || jsonb_build_object('sync', " SYNC " || '{\"lease\": null}',"
        " 'last_sync_count', $3, 'last_sync_errors', $4::jsonb),"
        " last_sync_at = CASE WHEN $5 THEN now() ELSE last_sync_at END"
        " WHERE id = $1 AND " IS_OURS " RETURNING to_jsonb(last_sync_at) AS last_sync_at",
        edge_uuid(run->connection), edge_text(run->id), edge_int((int64_t)count), edge_json(errors),
        edge_bool(complete));
    return edge_rows_count(ended) > 0 ? json_string_value(edge_rows_value(ended, 0, "last_sync_at")) : NULL;
}

static json_t *section_status(const json_t *state, const char *name)
{
    const json_t *section = json_object_get(state, name), *cursor = json_object_get(section, "cursor");
    return json_pack("{s:s?, s:b, s:I}", "lastCompletedAt", edge_json_text(section, "last_completed_at"),
        "inProgress", json_is_object(cursor), "fetched", (json_int_t)edge_json_int(cursor, "fetched", 0));
}

json_t *lofty_status(edge_ctx *ctx, const char *connection)
{
    edge_rows *row = edge_query(ctx,
        "SELECT sync_settings -> 'sync' AS state, to_jsonb(last_sync_at) AS last_sync_at,"
        " coalesce((sync_settings #>> '{sync,lease,expires_at}')::timestamptz > clock_timestamp(), false) AS "
        "running"
        " FROM crm_connections WHERE id = $1",
        edge_uuid(connection));
    json_t *state = edge_rows_value(row, 0, "state");
    return json_pack("{s:b, s:b, s:b, s:o?, s:{s:o, s:o}}", "success", 1, "connected", 1, "running",
        edge_rows_bool(row, 0, "running"), "lastSyncAt", edge_rows_value(row, 0, "last_sync_at"), "sections",
        "contacts", section_status(state, "contacts"), "transactions", section_status(state, "transactions"));
}

static const edge_field text = { .type = EDGE_TEXT };

static const edge_field section_fields[] = {
    { "fetched", EDGE_INT, .help = "Rows read" },
    { "total", EDGE_INT, .help = "How many Lofty has" },
    { "created", EDGE_INT, .help = "New rows" },
    { "updated", EDGE_INT, .help = "Changed rows" },
    { "skipped", EDGE_INT, .help = "Rows that were as they are" },
    { "errorCount", EDGE_INT, .help = "Rows with errors" },
    { "complete", EDGE_BOOL, .help = "Whether it was read to its end" },
    { "error", EDGE_TEXT, .help = "Code of what ended it" },
    { "lastCompletedAt", EDGE_DATETIME, .help = "Of status: when it was complete last" },
    { "inProgress", EDGE_BOOL, .help = "Of status: whether a run has to go on" },
    { 0 },
};

static const edge_field section = { .type = EDGE_OBJECT, .fields = section_fields };

const edge_field lofty_output[] = {
    { "success", EDGE_BOOL, .required = true, .help = "true" },
    { "dryRun", EDGE_BOOL, .help = "true when rows were only counted" },
    { "runId", EDGE_UUID, .help = "The run" },
    { "syncType", EDGE_TEXT, .help = "What was brought in" },
    { "syncedCount", EDGE_INT, .help = "Rows written" },
    { "created", EDGE_INT, .help = "Of these, new ones" },
    { "updated", EDGE_INT, .help = "Of these, changed ones" },
    { "skipped", EDGE_INT, .help = "Rows that were as they are" },
    { "errorCount", EDGE_INT, .help = "Rows with errors" },
    { "errors", EDGE_ARRAY, .items = &text, .help = "The first of them" },
    { "complete", EDGE_BOOL, .help = "Whether all sections were read to their ends" },
    { "resumable", EDGE_BOOL, .help = "Whether another call goes on" },
    { "sections", EDGE_MAP, .items = &section, .help = "contacts, transactions" },
    { "lastSyncAt", EDGE_DATETIME, .help = "When all was complete last" },
    { "connected", EDGE_BOOL, .help = "Of status: true" },
    { "running", EDGE_BOOL, .help = "Of status: whether a run is under way" },
    { "loftyTaskId", EDGE_TEXT, .help = "Of markTaskComplete: the task" },
    { "message", EDGE_TEXT, .help = "A sentence about it" },
    { 0 },
};
