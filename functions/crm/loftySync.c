/*
 * loftySync: brings the user's Lofty leads and transactions into contacts and transactions, page by page, so
 * that a run that ends early (time, limit, failure, crash) goes on where it was; says how far it has come;
 * ticks off a task.
 *
 * Two round trips at the beginning and one at the end; one a page, in which its rows and the cursor behind them
 * are kept. Memory is one page's, whatever their number.
 *
 * Lofty: https://developer.lofty.com/api-reference (leads/list-leads, transactions/list-transactions,
 * tasks/overview).
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/crm.h"
#include "lib/iso_time.h"
#include "lib/lofty_pages.h"
#include "lib/lofty_rows.h"
#include "lib/lofty_state.h"

enum {
    ANSWER_SECONDS = 50,  /* of a call that waits for its answer */
    STREAM_SECONDS = 240, /* of one that is told of each page */
    ERRORS_MAX = 50,
    KEPT_ERRORS_MAX = 20,
};

#define OVERLAP_US (5 * 60 * 1000000LL) /* rows that were changed while the run before began are read again */

static const char *const actions[] = { "sync", "status", "markTaskComplete", NULL };
static const char *const sync_types[] = { "contacts", "transactions", "all", NULL };

static const edge_field task_fields[] = {
    { "loftyTaskId", EDGE_ID, .min = 1, .max = 0x1p63, .help = "Lofty's id of the task" },
    { 0 },
};

static const edge_field input[] = {
    { "action", EDGE_ENUM, .values = actions, .fallback = "sync", .help = "What to do" },
    { "syncType", EDGE_ENUM, .values = sync_types, .fallback = "contacts", .help = "What to bring in" },
    { "fullSync", EDGE_BOOL, .fallback = "false", .help = "Write unchanged rows too, and begin anew" },
    { "resume", EDGE_BOOL, .fallback = "true", .help = "Go on where an unfinished run was" },
    { "dryRun", EDGE_BOOL, .fallback = "false", .help = "Only say how many there are" },
    { "maxRecords", EDGE_INT, .min = 1, .max = 100000, .fallback = "100000",
        .help = "Rows a section in this call" },
    { "data", EDGE_OBJECT, .fields = task_fields, .help = "Of markTaskComplete: the task" },
    { "userId", EDGE_USER, .help = "Whose CRM; required under the service key" },
    { 0 },
};

/* As the tools' shape, without their suggestions: nobody's model reads this. */
static const edge_shape shape = { .success_false = true };

static const struct crm_provider lofty = { "lofty", "lofty", "Lofty",
    "Lofty is not connected. Please connect Lofty first.", NULL };

struct sync {
    edge_ctx *ctx;
    struct crm *crm;
    struct lofty_run *run;
    const char *type;
    bool streams, has_begun, resumed;
    bool full, may_resume;
    int64_t max_records, ends_at_us;
    json_t *errors;
    size_t written, pages;
};

struct section {
    const char *name;
    const char *started_at, *completed_at; /* of this walk, of the last whole one */
    int64_t watermark_us, total, here;     /* total: -1 when not known; here: fetched in this call */
    size_t created, updated, skipped, errors;
    bool complete;
    const struct crm_failure *failure; /* why it stopped */
    json_t *last_first;                /* id of the page before's first row */
    struct lofty_reader reader;
};

static bool is_leads(const struct section *section)
{
    return strcmp(section->name, "contacts") == 0;
}

static void add_error(struct sync *sync, struct section *section, const char *text)
{
    section->errors++;
    if (json_array_size(sync->errors) < ERRORS_MAX)
        json_array_append_new(sync->errors, json_string(text));
}

/* Where the section was, from the state that the run before left. */
static struct section open_section(struct sync *sync, const char *name)
{
    struct section section = { .name = name, .total = -1 };
    const json_t *state = sync->run != NULL ? json_object_get(sync->run->state, name) : NULL;
    const json_t *cursor = json_object_get(state, "cursor");
    section.completed_at = edge_json_text(state, "last_completed_at");
    section.started_at = sync->run != NULL ? sync->run->started_at : NULL;
    section.reader =
        (struct lofty_reader){ .crm = sync->crm, .run = sync->run, .of_leads = is_leads(&section) };
    if (sync->full || !iso_time_read(section.completed_at, &section.watermark_us))
        section.watermark_us = INT64_MIN + OVERLAP_US;
    if (json_is_object(cursor) && sync->may_resume && !sync->full) {
        section.reader.fetched = edge_json_int(cursor, "fetched", 0);
        section.reader.page_num = edge_json_int(cursor, "page_num", 0);
        section.reader.scroll_id = edge_json_text(cursor, "scroll_id");
        section.reader.is_saved_scroll = true;
        if (edge_json_text(cursor, "run_started_at") != NULL)
            section.started_at = edge_json_text(cursor, "run_started_at");
        sync->resumed = true;
    }
    return section;
}

/* The page's rows that are to be written; what is unchanged or has no id is counted. */
static json_t *rows_to_write(struct sync *sync, struct section *section, const json_t *page)
{
    edge_ctx *ctx = sync->ctx;
    json_t *rows = json_array(), *from;
    size_t i;
    json_array_foreach(page, i, from)
    {
        int64_t changed_us = 0;
        bool known = is_leads(section) ? lofty_contact_changed(from, &changed_us)
                                       : lofty_deal_changed(from, &changed_us);
        json_t *row = is_leads(section) ? lofty_contact(ctx, from) : lofty_deal(ctx, from);
        if (row == NULL)
            add_error(sync, section, is_leads(section) ? "contact without id" : "transaction without id");
        else if (known && changed_us <= section->watermark_us - OVERLAP_US)
            section->skipped++, json_decref(row);
        else
            json_array_append_new(rows, row);
    }
    return rows;
}

static json_t *state_of(const struct section *section)
{
    if (section->complete)
        return json_pack("{s:s, s:n}", "last_completed_at", section->started_at, "cursor");
    const struct lofty_reader *reader = &section->reader;
    return json_pack("{s:s?, s:{s:s*, s:I, s:I, s:I, s:s}}", "last_completed_at", section->completed_at,
        "cursor", "scroll_id", reader->scroll_id, "offset", (json_int_t)reader->fetched, "page_num",
        (json_int_t)reader->page_num, "fetched", (json_int_t)reader->fetched, "run_started_at",
        section->started_at);
}

static void tell_progress(struct sync *sync, const struct section *section)
{
    if (!sync->streams)
        return;
    if (!sync->has_begun)
        edge_stream_event(sync->ctx, "start",
            json_pack(
                "{s:s, s:s, s:b}", "runId", sync->run->id, "syncType", sync->type, "resumed", sync->resumed));
    sync->has_begun = true;
    json_t *event = json_pack("{s:s, s:I, s:o, s:I, s:I, s:I, s:I}", "section", section->name, "fetched",
        (json_int_t)section->reader.fetched, "total",
        section->total >= 0 ? json_integer(section->total) : json_null(), "created",
        (json_int_t)section->created, "updated", (json_int_t)section->updated, "skipped",
        (json_int_t)section->skipped, "errorCount", (json_int_t)section->errors);
    edge_stream_event(sync->ctx, "progress", event);
    json_decref(event);
}

/* Lofty hands out the same page again: without this the walk would never end. */
static bool is_loop(struct section *section, const json_t *rows)
{
    json_t *first = json_object_get(json_array_get(rows, 0), is_leads(section) ? "leadId" : "transactionId");
    bool again = first != NULL && section->last_first != NULL && json_equal(first, section->last_first);
    section->last_first =
        json_is_integer(first) ? json_integer(json_integer_value(first)) : json_deep_copy(first);
    return again;
}

static const struct crm_failure *failure_of(
    struct sync *sync, int status, const char *code, const char *message)
{
    struct crm_failure *failure = edge_alloc(sync->ctx, sizeof *failure);
    *failure = (struct crm_failure){ .status = status, .code = code, .message = message };
    return failure;
}

static void move_on(struct section *section, const struct lofty_page *page)
{
    size_t count = json_array_size(page->rows);
    section->total = page->total;
    section->here += (int64_t)count;
    section->reader.fetched += (int64_t)count;
    section->reader.page_num++;
    section->reader.scroll_id = page->scroll_id;
    section->complete = count == 0 || (page->total >= 0 && section->reader.fetched >= page->total);
}

/* Writes a page and moves on; false when the section ends here. */
static bool take_page(struct sync *sync, struct section *section, const struct lofty_page *page)
{
    if (is_loop(section, page->rows)) {
        section->failure = failure_of(sync, 502, "page_loop", "Lofty sent the same page twice");
        return false;
    }
    json_t *rows = rows_to_write(sync, section, page->rows);
    move_on(section, page);
    json_t *state = state_of(section);
    struct lofty_written written = lofty_run_commit(sync->run, section->name, rows, state);
    json_decref(rows);
    json_decref(state);
    if (written.is_lost) {
        section->failure = failure_of(sync, 409, "sync_in_progress", "Another sync has taken over");
        section->complete = false;
        return false;
    }
    json_t *error;
    size_t i;
    json_array_foreach(written.errors, i, error) add_error(sync, section, json_string_value(error));
    section->created += written.created;
    section->updated += written.updated;
    sync->written += written.created + written.updated;
    sync->pages++;
    return !section->complete;
}

static bool has_time(const struct sync *sync, const struct section *section)
{
    return section->here < sync->max_records && edge_now_exact() < sync->ends_at_us &&
           !edge_client_gone(sync->ctx);
}

static void walk(struct sync *sync, struct section *section)
{
    bool more = true;
    while (more && has_time(sync, section)) {
        struct lofty_page page = lofty_read(&section->reader);
        section->failure = page.failure;
        if (page.failure != NULL)
            break;
        more = take_page(sync, section, &page);
        json_decref(page.body);
        if (section->failure == NULL)
            tell_progress(sync, section);
    }
    if (section->failure == NULL)
        return;
    add_error(sync, section, edge_format(sync->ctx, "%s: %s", section->name, section->failure->message));
    if (strcmp(section->failure->code, "reconnect_required") == 0)
        connection_break(sync->crm->connection);
}

static json_t *section_json(const struct section *section)
{
    return json_pack("{s:I, s:o, s:I, s:I, s:I, s:I, s:b, s:s*}", "fetched",
        (json_int_t)section->reader.fetched, "total",
        section->total >= 0 ? json_integer(section->total) : json_null(), "created",
        (json_int_t)section->created, "updated", (json_int_t)section->updated, "skipped",
        (json_int_t)section->skipped, "errorCount", (json_int_t)section->errors, "complete", section->complete,
        "error", section->failure != NULL ? section->failure->code : NULL);
}

static bool wants(const struct sync *sync, const char *section)
{
    return strcmp(sync->type, "all") == 0 || strcmp(sync->type, section) == 0;
}

static json_t *answer_of(
    struct sync *sync, const struct section *sections, size_t count, const char *last_sync_at)
{
    size_t created = 0, updated = 0, skipped = 0, errors = 0;
    bool complete = true;
    json_t *all = json_object();
    for (const struct section *section = sections; section < sections + count; section++) {
        created += section->created;
        updated += section->updated;
        skipped += section->skipped;
        errors += section->errors;
        complete = complete && section->complete;
        json_object_set_new(all, section->name, section_json(section));
    }
    json_t *answer = json_pack("{s:b, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:b, s:b, s:o, s:s?, s:s}", "success",
        1, "runId", sync->run->id, "syncType", sync->type, "syncedCount", (json_int_t)(created + updated),
        "created", (json_int_t)created, "updated", (json_int_t)updated, "skipped", (json_int_t)skipped,
        "errorCount", (json_int_t)errors, "complete", complete, "resumable", !complete, "sections", all,
        "lastSyncAt", last_sync_at, "message",
        edge_format(sync->ctx, "Synced %zu records from Lofty", created + updated));
    if (json_array_size(sync->errors) > 0)
        json_object_set(answer, "errors", sync->errors);
    return answer;
}

static json_t *kept_errors(const struct sync *sync)
{
    json_t *kept = json_array();
    for (size_t i = 0; i < json_array_size(sync->errors) && i < KEPT_ERRORS_MAX; i++)
        json_array_append(kept, json_array_get(sync->errors, i));
    return kept;
}

static json_t *run_sync(struct sync *sync)
{
    static const char *const names[] = { "contacts", "transactions" };
    struct section sections[2];
    size_t count = 0;
    bool complete = true;
    sync->run = lofty_run_begin(sync->ctx, sync->crm->connection->id);
    for (size_t i = 0; i < 2; i++) {
        if (!wants(sync, names[i]))
            continue;
        sections[count] = open_section(sync, names[i]);
        walk(sync, &sections[count]);
        complete = complete && sections[count].complete;
        count++;
    }
    const char *last_sync_at = lofty_run_end(sync->run, sync->written, kept_errors(sync), complete);
    connection_reseal(sync->crm->connection);

    const struct crm_failure *failure = sections[0].failure;
    if (count == 1 && failure != NULL && sync->pages == 0)
        edge_fail_with(sync->ctx, failure->status, failure->code, .message = failure->message,
            .retry_after_seconds = failure->retry_after_seconds);
    json_t *answer = answer_of(sync, sections, count, last_sync_at);
    if (!sync->streams)
        return answer;
    edge_stream_event(sync->ctx, "done", answer);
    return NULL;
}

static json_t *dry_run(struct sync *sync)
{
    static const char *const names[] = { "contacts", "transactions" };
    json_t *sections = json_object();
    for (size_t i = 0; i < 2; i++) {
        if (!wants(sync, names[i]))
            continue;
        struct section section = open_section(sync, names[i]);
        struct lofty_page page = lofty_read(&section.reader);
        if (page.failure != NULL)
            crm_fail(sync->crm, page.failure);
        json_int_t total = page.total >= 0 ? page.total : (json_int_t)json_array_size(page.rows);
        json_object_set_new(sections, names[i], json_pack("{s:I}", "total", total));
    }
    return json_pack("{s:b, s:b, s:o}", "success", 1, "dryRun", 1, "sections", sections);
}

static json_t *sync_records(struct crm *crm, json_t *in)
{
    edge_ctx *ctx = crm->ctx;
    bool streams = edge_request_wants_stream(ctx, in);
    struct sync sync = {
        .ctx = ctx,
        .crm = crm,
        .type = edge_json_text(in, "syncType"),
        .streams = streams,
        .full = edge_json_bool(in, "fullSync", false),
        .may_resume = edge_json_bool(in, "resume", true),
        .max_records = edge_json_int(in, "maxRecords", 0),
        .ends_at_us = edge_now_exact() + (streams ? STREAM_SECONDS : ANSWER_SECONDS) * 1000000LL,
        .errors = json_array(),
    };
    return edge_json_bool(in, "dryRun", false) ? dry_run(&sync) : run_sync(&sync);
}

static json_t *mark_task_complete(struct crm *crm, const json_t *in)
{
    edge_ctx *ctx = crm->ctx;
    const char *id = crm_digits(ctx, json_object_get(json_object_get(in, "data"), "loftyTaskId"));
    crm->addressed = true;
    crm_call(crm, .method = "POST", .path = edge_format(ctx, "/v2.0/tasks/%s/finish", id));
    connection_reseal(crm->connection);
    return json_pack(
        "{s:b, s:s, s:s}", "success", 1, "loftyTaskId", id, "message", "Task marked complete in Lofty");
}

static json_t *lofty_sync(edge_ctx *ctx, json_t *in)
{
    const char *action = edge_json_text(in, "action");
    bool is_task = strcmp(action, "markTaskComplete") == 0;
    if (is_task && json_object_get(json_object_get(in, "data"), "loftyTaskId") == NULL)
        edge_fail_with(
            ctx, 400, "invalid_input", .field = "data.loftyTaskId", .message = "data.loftyTaskId is required");

    struct crm *crm = crm_open(ctx, &lofty, is_task ? "Failed to complete task" : "Failed to sync");
    const char *authorization = edge_format(ctx, "token %s", crm_credential(crm, "api_key"));
    crm->headers = (const edge_header[]){ { "Authorization", authorization }, { 0 } };
    if (is_task)
        return mark_task_complete(crm, in);
    return strcmp(action, "status") == 0 ? lofty_status(ctx, crm->connection->id) : sync_records(crm, in);
}

EDGE_FUNCTION(loftySync,
    .summary = "Brings the user's Lofty leads and transactions in",
    .input = input,
    .output = lofty_output,
    .handle = lofty_sync,
    .shape = &shape,
    .streams = true,
    .trims = true);
