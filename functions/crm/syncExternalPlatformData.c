/*
 * syncExternalPlatformData: mirrors content of the former platform's database into this one, up to three tables
 * at once, by pages of keys. A page and the cursor behind it are one transaction, so that a run that ends early
 * is gone on with; what the source no longer has is taken away only when a table has been read to its end.
 *
 * Two round trips at the beginning, one a page, one a table at its end, one at the end.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/platform_rows.h"
#include "lib/platform_run.h"
#include "lib/platform_source.h"

enum {
    TABLES = 5,
    TABLES_AT_ONCE = 3,
    PAGE_ROWS = 500,
    COUNT_ROWS = 1000,
    ERRORS_MAX = 20,
    ANSWER_SECONDS = 50,
    STREAM_SECONDS = 240,
};

static const char *const names[] = { "task_templates", "client_personas", "agent_voices", "call_logs",
    "featured_content_packs", NULL };
static const edge_field table_name = { "", EDGE_ENUM, .values = names };

static const edge_field input[] = {
    { "dryRun", EDGE_BOOL, .fallback = "false", .help = "Only count; nothing is written" },
    { "tables", EDGE_ARRAY, .min = 1, .max = TABLES, .items = &table_name,
        .help = "Which ones; all unless said" },
    { "prune", EDGE_BOOL, .fallback = "true", .help = "Take away what the source no longer has" },
    { "resume", EDGE_BOOL, .fallback = "true", .help = "Go on where an unfinished run was" },
    { 0 },
};

static const edge_shape shape = { .success_false = true };

struct table {
    const struct platform_table *is;
    const char *cursor; /* id of the last row, NULL at the beginning */
    int64_t created, updated, skipped, pruned, error_count, fetched, count;
    json_t *errors;
    bool complete, failed;
};

struct sync {
    edge_ctx *ctx;
    struct platform_run *run; /* NULL in a dry run */
    struct table tables[TABLES];
    size_t count, next;
    bool streams, has_begun, prune;
    int64_t ends_at_us;
};

static json_t *check(edge_ctx *ctx, const json_t *in, const edge_field *field, json_t *value)
{
    (void)in;
    for (size_t i = 0; strcmp(field->name, "tables") == 0 && i < json_array_size(value); i++)
        for (size_t j = 0; j < i; j++)
            if (json_equal(json_array_get(value, i), json_array_get(value, j)))
                edge_fail_with(
                    ctx, 400, "invalid_input", .field = "tables", .message = "tables names one table twice");
    return value;
}

static void note_error(struct table *table, const char *text)
{
    table->error_count++;
    if (json_array_size(table->errors) < ERRORS_MAX)
        json_array_append_new(table->errors, json_string(text));
}

/* The table's own failure, after the errors of its rows and also when there are too many of those. */
static void note_failure(struct table *table, const char *text)
{
    table->failed = true;
    table->error_count++;
    if (json_array_size(table->errors) == ERRORS_MAX)
        json_array_remove(table->errors, ERRORS_MAX - 1);
    json_array_append_new(table->errors, json_string(text));
}

/* The rows of an answer; NULL with the table's failure noted when there are none. */
static json_t *rows_of(struct sync *sync, struct table *table, const edge_reply *reply)
{
    const char *name = table->is->name;
    if (reply->failure == EDGE_HTTP_TIMEOUT)
        note_failure(table, edge_format(sync->ctx, "%s: the source did not answer in time", name));
    else if (reply->failure == EDGE_HTTP_TOO_LARGE)
        note_failure(table, edge_format(sync->ctx, "%s: the source answered too much", name));
    else if (reply->failure != EDGE_HTTP_OK)
        note_failure(table, edge_format(sync->ctx, "%s: the source cannot be reached", name));
    else if (reply->status < 200 || reply->status > 299)
        note_failure(table, edge_format(sync->ctx, "%s: the source answered HTTP %d", name, reply->status));
    else if (!json_is_array(reply->json))
        note_failure(table, edge_format(sync->ctx, "%s: the source answered without a list", name));
    else
        return reply->json;
    return NULL;
}

static json_t *state_of(const struct table *table)
{
    return json_pack("{s:s?, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:O, s:b}", "cursor", table->cursor, "imported",
        (json_int_t)(table->created + table->updated), "created", (json_int_t)table->created, "updated",
        (json_int_t)table->updated, "skipped", (json_int_t)table->skipped, "pruned", (json_int_t)table->pruned,
        "errorCount", (json_int_t)table->error_count, "fetched", (json_int_t)table->fetched, "errors",
        table->errors, "complete", table->complete);
}

static json_t *result_of(const struct table *table)
{
    json_t *result = state_of(table);
    json_object_del(result, "cursor");
    json_object_del(result, "fetched");
    return result;
}

static void tell_progress(struct sync *sync, const struct table *table)
{
    if (!sync->streams)
        return;
    if (!sync->has_begun)
        edge_stream_event(sync->ctx, "start", json_pack("{s:s}", "runId", sync->run->id));
    sync->has_begun = true;
    json_t *event = json_pack("{s:s, s:I, s:I, s:I}", "table", table->is->name, "fetched",
        (json_int_t)table->fetched, "imported", (json_int_t)(table->created + table->updated), "errorCount",
        (json_int_t)table->error_count);
    edge_stream_event(sync->ctx, "progress", event);
    json_decref(event);
}

static json_t *map_page(struct sync *sync, struct table *table, const json_t *page)
{
    json_t *rows = json_array(), *source;
    size_t i;
    json_array_foreach(page, i, source)
    {
        const char *error = NULL;
        json_t *row = platform_row(sync->ctx, table->is, source, &error);
        if (row != NULL) {
            json_array_append_new(rows, row);
            continue;
        }
        table->skipped++;
        note_error(table, error);
    }
    return rows;
}

/* A page and the cursor behind it. The counts go into the state that is kept, so they are known only
 * afterwards. */
static bool write_page(struct sync *sync, struct table *table, const json_t *page)
{
    edge_ctx *ctx = sync->ctx;
    edge_rows *rows[2];
    edge_error error;
    struct table after = *table;
    after.fetched += (int64_t)json_array_size(page);
    after.cursor = platform_last_id(ctx, page) != NULL ? platform_last_id(ctx, page) : table->cursor;
    json_t *ours = map_page(sync, &after, page);
    if (!edge_try_service_query_batch(ctx, &error, rows,
            EDGE_SQL(PLATFORM_KEEP_SQL, edge_text(sync->run->id), edge_text(table->is->name),
                edge_json(state_of(&after))),
            EDGE_SQL(table->is->write_sql, edge_json(ours), edge_text(sync->run->system),
                edge_text(sync->run->id)))) {
        note_failure(table, edge_format(ctx, "%s: a page could not be stored (%.5s)", table->is->name,
                                error.detail != NULL ? error.detail : error.code));
        return false;
    }
    if (edge_rows_count(rows[0]) == 0) {
        note_failure(table, edge_format(ctx, "%s: another sync has taken over", table->is->name));
        return false;
    }
    after.created += edge_rows_int(rows[1], 0, "created");
    after.updated += edge_rows_int(rows[1], 0, "updated");
    *table = after;
    json_decref(ours);
    tell_progress(sync, table);
    return true;
}

/* The end of a table: what the source no longer has goes, unless the source has nothing at all. */
static void finish(struct sync *sync, struct table *table)
{
    edge_ctx *ctx = sync->ctx;
    edge_rows *rows[2];
    edge_error error;
    bool prunes = sync->prune && table->fetched > 0;
    if (sync->prune && table->fetched == 0)
        note_error(table, "source table is empty; nothing pruned");
    table->complete = true;
    const char *prune = prunes ? table->is->prune_sql : "SELECT $1::timestamptz, $2::text, $3::text";
    if (!edge_try_service_query_batch(ctx, &error, rows,
            EDGE_SQL(prune, edge_time(sync->run->started_us), edge_text(sync->run->system),
                edge_text(sync->run->id)),
            EDGE_SQL(PLATFORM_KEEP_SQL, edge_text(sync->run->id), edge_text(table->is->name),
                edge_json(state_of(table))))) {
        table->complete = false;
        note_failure(table, edge_format(ctx, "%s: rows that are gone could not be removed", table->is->name));
        return;
    }
    table->pruned = prunes ? (int64_t)edge_rows_affected(rows[0]) : 0;
}

static void read_table(struct sync *sync, struct table *table)
{
    edge_ctx *ctx = sync->ctx;
    while (edge_now_exact() < sync->ends_at_us && !edge_client_gone(ctx)) {
        const char *path = edge_format(ctx, "/rest/v1/%s?select=*&order=id.asc&limit=%d%s%s", table->is->name,
            PAGE_ROWS, table->cursor != NULL ? "&id=gt." : "",
            table->cursor != NULL ? edge_url_encode(ctx, table->cursor) : "");
        json_t *page = rows_of(sync, table, platform_ask(ctx, path, false));
        if (page == NULL)
            return;
        size_t count = json_array_size(page);
        const char *before = table->cursor;
        if (count > 0 && !write_page(sync, table, page))
            return;
        json_decref(page);
        bool stands = before != NULL && table->cursor != NULL && strcmp(before, table->cursor) == 0;
        if (count < PAGE_ROWS || stands || table->cursor == NULL) {
            finish(sync, table);
            return;
        }
    }
}

static void count_table(struct sync *sync, struct table *table)
{
    edge_ctx *ctx = sync->ctx;
    for (bool first = true;; first = false) {
        const char *path = edge_format(ctx, "/rest/v1/%s?select=id&order=id.asc&limit=%d%s%s", table->is->name,
            COUNT_ROWS, table->cursor != NULL ? "&id=gt." : "",
            table->cursor != NULL ? edge_url_encode(ctx, table->cursor) : "");
        edge_reply *reply = platform_ask(ctx, path, first);
        json_t *page = rows_of(sync, table, reply);
        if (page == NULL)
            return;
        int64_t total = first ? platform_total(ctx, reply) : -1;
        size_t count = json_array_size(page);
        table->count = total >= 0 ? total : table->count + (int64_t)count;
        table->cursor = count > 0 ? platform_last_id(ctx, page) : NULL;
        if (total >= 0 || count < COUNT_ROWS || table->cursor == NULL)
            return;
    }
}

/* One of the fibers that work through the tables. */
static void *work(edge_ctx *ctx, void *arg)
{
    (void)ctx;
    struct sync *sync = arg;
    while (sync->next < sync->count) {
        struct table *table = &sync->tables[sync->next++];
        if (sync->run == NULL)
            count_table(sync, table);
        else if (!table->complete)
            read_table(sync, table);
    }
    return NULL;
}

static void work_together(struct sync *sync, size_t fibers)
{
    edge_task *tasks[TABLES];
    for (size_t i = 0; i < fibers; i++)
        tasks[i] = edge_spawn(sync->ctx, work, sync);
    for (size_t i = 0; i < fibers; i++)
        edge_await(sync->ctx, tasks[i]);
}

static void open_tables(struct sync *sync, const json_t *wanted)
{
    for (const struct platform_table *is = platform_tables; is->name != NULL; is++) {
        bool asked = false;
        for (size_t i = 0; i < json_array_size(wanted); i++)
            asked = asked || strcmp(json_string_value(json_array_get(wanted, i)), is->name) == 0;
        if (!asked)
            continue;
        const json_t *state = sync->run != NULL ? json_object_get(sync->run->tables, is->name) : NULL;
        json_t *errors = json_object_get(state, "errors");
        sync->tables[sync->count++] = (struct table){
            .is = is,
            .cursor = edge_json_text(state, "cursor"),
            .created = edge_json_int(state, "created", 0),
            .updated = edge_json_int(state, "updated", 0),
            .skipped = edge_json_int(state, "skipped", 0),
            .pruned = edge_json_int(state, "pruned", 0),
            .error_count = edge_json_int(state, "errorCount", 0),
            .fetched = edge_json_int(state, "fetched", 0),
            .errors = json_is_array(errors) ? errors : json_array(),
            .complete = edge_json_bool(state, "complete", false),
        };
    }
}

static json_t *all_names(void)
{
    json_t *all = json_array();
    for (const char *const *name = names; *name != NULL; name++)
        json_array_append_new(all, json_string(*name));
    return all;
}

static json_t *count_all(struct sync *sync, const json_t *wanted)
{
    open_tables(sync, wanted);
    work_together(sync, sync->count);
    json_t *results = json_object();
    for (struct table *table = sync->tables; table < sync->tables + sync->count; table++)
        json_object_set_new(results, table->is->name,
            json_pack("{s:I, s:O}", "count", (json_int_t)table->count, "errors", table->errors));
    edge_rows *system = edge_service_query(sync->ctx,
        "SELECT id FROM profiles WHERE lower(email) = 'system@pulse.ai' ORDER BY created_at, id LIMIT 1");
    return json_pack("{s:b, s:b, s:n, s:b, s:o, s:s?}", "success", 1, "dryRun", 1, "runId", "complete", 1,
        "results", results, "systemUserId",
        edge_rows_count(system) > 0 ? edge_rows_text(system, 0, "id") : NULL);
}

static json_t *import_all(struct sync *sync, const json_t *wanted, bool resume)
{
    bool complete = true, failed = true, clean = true, needs_system = false;
    sync->run = platform_run_begin(sync->ctx, wanted, resume);
    open_tables(sync, wanted);
    for (size_t i = 0; i < sync->count; i++)
        needs_system = needs_system || sync->tables[i].is->needs_system;
    platform_run_find_system(sync->run, needs_system);
    work_together(sync, sync->count < TABLES_AT_ONCE ? sync->count : TABLES_AT_ONCE);

    json_t *results = json_object();
    for (struct table *table = sync->tables; table < sync->tables + sync->count; table++) {
        complete = complete && table->complete;
        clean = clean && !table->failed;
        failed = failed && table->failed && table->created + table->updated == 0;
        json_object_set_new(results, table->is->name, result_of(table));
    }
    platform_run_end(sync->run, complete && clean);
    if (failed)
        edge_fail_with(sync->ctx, 502, "provider_error", .message = "No table could be imported",
            .extra = json_pack("{s:o, s:s}", "results", results, "runId", sync->run->id));
    return json_pack("{s:b, s:b, s:s, s:b, s:o, s:s?}", "success", 1, "dryRun", 0, "runId", sync->run->id,
        "complete", complete, "results", results, "systemUserId", sync->run->system);
}

static json_t *sync_platform(edge_ctx *ctx, json_t *in)
{
    json_t *wanted = json_object_get(in, "tables");
    bool streams = edge_request_wants_stream(ctx, in);
    struct sync *sync = edge_alloc(ctx, sizeof *sync);
    *sync = (struct sync){ .ctx = ctx,
        .streams = streams,
        .prune = edge_json_bool(in, "prune", true),
        .ends_at_us = edge_now_exact() + (streams ? STREAM_SECONDS : ANSWER_SECONDS) * 1000000LL };
    edge_provider_url(ctx, "external_backend", "/rest/v1/");
    edge_env_required(ctx, "EXTERNAL_BACKEND_SERVICE_ROLE_KEY");

    if (wanted == NULL)
        wanted = all_names();
    if (edge_json_bool(in, "dryRun", false))
        return count_all(sync, wanted);
    json_t *answer = import_all(sync, wanted, edge_json_bool(in, "resume", true));
    if (!streams)
        return answer;
    edge_stream_event(ctx, "done", answer);
    return NULL;
}

EDGE_FUNCTION(syncExternalPlatformData,
    .summary = "Mirrors the former platform's content into this database",
    .input = input,
    .output = platform_output,
    .handle = sync_platform,
    .check = check,
    .shape = &shape,
    .streams = true,
    .trims = true);
