/*
 * An import: the header, then each record into COPY, then the statements of import_apply.c, all of it in one
 * transaction. Whoever leaves in the middle leaves nothing behind.
 */
#include "lib/import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROWS_MAX = 1000 * 1000,
    PROGRESS_ROWS = 50 * 1000,
    BATCH_ROWS = 1000, /* as the import screens count */
    CELL_SHOWN = 100,
    FIRST_CELL = 4, /* behind _line, _row, _id and _owner_email */
};

#define SECOND_US 1000000

static const char *sentence(const char *code)
{
    static const char *const sentences[][2] = {
        { "malformed_csv", "The record has a quote where none may be" },
        { "field_count", "The record has another number of fields than the header" },
        { "invalid_utf8", "The record is not UTF-8" },
        { "required", "A value is required" },
        { "invalid_integer", "must be a whole number" },
        { "invalid_number", "must be a number" },
        { "invalid_boolean", "must be true or false" },
        { "invalid_date", "must be a date, YYYY-MM-DD or M/D/YYYY" },
        { "invalid_time", "must be a time of day, HH:MM or HH:MM:SS" },
        { "invalid_timestamp", "must be an ISO 8601 date and time" },
        { "invalid_json", "must be JSON of the right kind" },
        { "invalid_uuid", "must be a UUID" },
        { "invalid_value", "is not one of the values allowed" },
        { "too_long", "is too long" },
        { "duplicate_key", "A row with this key exists" },
        { "invalid_reference", "The row that it refers to does not exist" },
        { "unknown_profile", "Nobody has this e-mail address" },
    };
    for (size_t i = 0; i < sizeof sentences / sizeof *sentences; i++)
        if (strcmp(code, sentences[i][0]) == 0)
            return sentences[i][1];
    return code;
}

void import_note_error(edge_ctx *ctx, struct import_result *result, int64_t line, int64_t row,
    const char *column, const char *code, const char *cell)
{
    result->error_count++;
    if (json_array_size(result->errors) >= 2 * IMPORT_ERRORS_MAX)
        return;
    const char *message = sentence(code);
    if (cell != NULL)
        message = edge_format(ctx, "%s \"%s\" %s", column, text_cut(ctx, cell, CELL_SHOWN), message);
    char lines[24];
    snprintf(lines, sizeof lines, "%lld", (long long)line);
    json_array_append_new(
        result->errors, json_pack("{s:I, s:I, s:s?, s:s, s:s, s:I, s:s}", "line", (json_int_t)line, "row",
                            (json_int_t)row, "column", column, "code", code, "error", message, "batch",
                            (json_int_t)((row - 1) / BATCH_ROWS + 1), "rows", lines));
}

/* --- progress --- */

static void report(struct import_run *run)
{
    run->reported_at = edge_now_exact();
    run->job->progress(run->ctx, run->job->arg, &run->counts);
}

/* While a statement is at work, nobody else would say that the import is. */
static void *heartbeat(edge_ctx *ctx, void *arg)
{
    struct import_run *run = arg;
    while (!run->done) {
        if (edge_now_exact() - run->reported_at >= SECOND_US)
            report(run);
        edge_sleep(ctx, 50);
    }
    return NULL;
}

static const char *row_problem(const struct import_run *run, const edge_csv_row *row)
{
    if (row->problem == EDGE_CSV_MALFORMED)
        return "malformed_csv";
    if (row->problem == EDGE_CSV_ENCODING)
        return "invalid_utf8";
    return row->count != run->plan->field_count ? "field_count" : NULL;
}

static void take_row(struct import_run *run, edge_copier *copy, const edge_csv_row *row)
{
    const char *values[IMPORT_TARGETS_MAX] = { NULL };
    int64_t number = ++run->result->total;
    const char *problem = row_problem(run, row);
    if (problem != NULL)
        import_note_error(run->ctx, run->result, (int64_t)row->line, number, NULL, problem, NULL);
    if (problem == NULL && import_row_convert(run, row, number, values)) {
        const struct import_dataset *dataset = run->job->dataset;
        bool owned = dataset != NULL && dataset->owner_header != NULL;
        edge_arg cells[FIRST_CELL + IMPORT_TARGETS_MAX] = {
            edge_int((int64_t)row->line),
            edge_int(number),
            edge_text(import_row_identity(run, row)),
            edge_text(owned ? import_row_cell(run, row, dataset->owner_header) : NULL),
        };
        for (size_t i = 0; i < run->plan->count; i++)
            cells[FIRST_CELL + i] = edge_text(values[i]);
        edge_copy_row_args(copy, cells, FIRST_CELL + run->plan->count);
    }
    run->counts = (struct import_counts){ (int64_t)row->offset, run->result->total, run->result->error_count };
    if (run->job->progress != NULL && number % PROGRESS_ROWS == 0)
        report(run);
}

/* --- the file --- */

static bool refuse(
    struct import_result *result, int status, const char *code, const char *message, json_t *extra)
{
    result->status = status;
    result->code = code;
    result->message = message;
    result->extra = extra;
    return false;
}

/* True when reading can go on; what is wrong with a record alone is not looked at. */
static bool check_file(const edge_csv_row *row, struct import_result *result)
{
    if (row->problem == EDGE_CSV_UNFINISHED)
        return refuse(
            result, 400, "malformed_csv", row->message, json_pack("{s:I}", "line", (json_int_t)row->line));
    if (row->problem == EDGE_CSV_TOO_LARGE)
        return refuse(
            result, 413, "csv_too_large", row->message, json_pack("{s:I}", "line", (json_int_t)row->line));
    return true;
}

static bool read_header(struct import_run *run, edge_csv *csv)
{
    const edge_csv_row *row = edge_csv_next(run->ctx, csv);
    if (row == NULL)
        return refuse(run->result, 400, "empty_csv", "The file has no header", NULL);
    if (!check_file(row, run->result))
        return false;
    if (row->problem != EDGE_CSV_OK)
        return refuse(
            run->result, 400, "malformed_csv", row->message, json_pack("{s:I}", "line", (json_int_t)row->line));
    bool named = false;
    for (size_t i = 0; i < row->count; i++)
        named = named || !import_is_blank(row->fields[i]);
    if (!named)
        return refuse(run->result, 400, "empty_csv", "The file has no header", NULL);
    return import_plan_header(run->ctx, run->job, row->count, row->fields, run->plan, run->result);
}

static bool read_rows(struct import_run *run, edge_csv *csv, edge_copier *copy)
{
    for (const edge_csv_row *row = NULL; (row = edge_csv_next(run->ctx, csv)) != NULL;) {
        if (!check_file(row, run->result))
            return false;
        take_row(run, copy, row);
    }
    return true;
}

static const char *system_profile(edge_ctx *ctx, edge_tx *tx)
{
    edge_rows *system = edge_tx_query(tx,
        "WITH found AS ("
        " SELECT id FROM profiles WHERE lower(email) = 'system@pulse.ai' ORDER BY created_at, id LIMIT 1"
        "), made AS ("
        " INSERT INTO profiles (id, email, full_name)"
        " SELECT 'system', 'system@pulse.ai', 'System' WHERE NOT EXISTS (SELECT FROM found)"
        " ON CONFLICT (id) DO UPDATE SET email = EXCLUDED.email"
        " RETURNING id)"
        " SELECT id FROM found UNION ALL SELECT id FROM made");
    return edge_copy(ctx, edge_rows_text(system, 0, "id"));
}

static void import_file(struct import_run *run, edge_csv *csv)
{
    EDGE_TRANSACTION(run->ctx, tx, .service = run->job->service)
    {
        if (run->job->owned_by_system)
            run->job->owner = system_profile(run->ctx, tx);
        import_stage_make(tx, run->plan);
        edge_copier *copy = edge_tx_copy_in(tx, import_stage_copy(run->ctx, run->plan));
        if (!read_rows(run, csv, copy))
            return;
        edge_copy_end(copy);
        import_apply(run->ctx, tx, run->job, run->plan, run->result);
        if (run->job->dry_run || run->result->code != NULL)
            edge_tx_rollback(tx);
    }
}

static int by_line(const void *a, const void *b)
{
    int64_t first = edge_json_int(*(json_t *const *)a, "row", 0),
            second = edge_json_int(*(json_t *const *)b, "row", 0);
    return (first > second) - (first < second);
}

/* Mistakes of cells come in the order of lines, and then those that the table found. */
static json_t *first_errors(edge_ctx *ctx, const json_t *errors)
{
    size_t count = json_array_size(errors);
    json_t **sorted = edge_alloc(ctx, (count + 1) * sizeof(json_t *)), *first = json_array();
    for (size_t i = 0; i < count; i++)
        sorted[i] = json_array_get(errors, i);
    qsort(sorted, count, sizeof(json_t *), by_line);
    for (size_t i = 0; i < count && i < IMPORT_ERRORS_MAX; i++)
        json_array_append(first, sorted[i]);
    return first;
}

struct import_result import_run(edge_ctx *ctx, const struct import_job *asked)
{
    struct import_job *job = edge_alloc(ctx, sizeof *job);
    *job = *asked;
    struct import_result result = { .errors = json_array(), .ignored_columns = json_array() };
    struct import_run run = { .ctx = ctx, .job = job, .result = &result, .reported_at = edge_now_exact() };
    run.plan = edge_alloc(ctx, sizeof *run.plan);
    run.plan->ctx = ctx;
    run.scratch = edge_alloc(ctx, IMPORT_TARGETS_MAX * sizeof *run.scratch);
    for (size_t i = 0; i < IMPORT_TARGETS_MAX; i++)
        run.scratch[i].text.ctx = run.scratch[i].trimmed.ctx = ctx;

    edge_csv *csv = edge_csv_open(ctx, .data = job->data, .length = job->length, .separator = job->separator,
        .records_max = ROWS_MAX + 1);
    if (!read_header(&run, csv))
        return result;
    edge_task *beat = job->progress != NULL ? edge_spawn(ctx, heartbeat, &run) : NULL;
    import_file(&run, csv);
    run.done = true;
    if (beat != NULL)
        edge_await(ctx, beat);
    result.errors = first_errors(ctx, result.errors);
    return result;
}
