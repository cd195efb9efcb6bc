/*
 * csv_rows: reads the body as CSV, whole or in small pieces, and lists its rows; or counts them only.
 */
#include <edge/edge.h>

#include <stdlib.h>
#include <string.h>

struct pieces {
    const char *at;
    size_t left, most;
};

static const void *next_piece(edge_ctx *ctx, void *arg, size_t *length)
{
    struct pieces *pieces = arg;
    (void)ctx;
    if (pieces->left == 0)
        return NULL;
    const char *piece = pieces->at;
    *length = pieces->left < pieces->most ? pieces->left : pieces->most;
    pieces->at += *length;
    pieces->left -= *length;
    return piece;
}

static int64_t number(edge_ctx *ctx, const char *name)
{
    const char *text = edge_request_query(ctx, name);
    return text != NULL ? atoll(text) : 0;
}

static json_t *describe(const edge_csv_row *row)
{
    static const char *const problems[] = { "ok", "malformed", "encoding", "unfinished", "too_large" };
    json_t *fields = json_array();
    for (size_t i = 0; i < row->count && row->problem == EDGE_CSV_OK; i++)
        json_array_append_new(fields, json_stringn(row->fields[i], row->lengths[i]));
    return json_pack("{s:I, s:I, s:s, s:o, s:I}", "line", (json_int_t)row->line, "number",
        (json_int_t)row->number, "problem", problems[row->problem], "fields", fields, "count",
        (json_int_t)row->count);
}

static json_t *csv_rows(edge_ctx *ctx, json_t *in)
{
    (void)in;
    size_t length = 0;
    const char *separator = edge_request_query(ctx, "separator");
    struct pieces pieces = { .at = edge_request_body(ctx, &length), .most = (size_t)number(ctx, "piece") };
    pieces.left = length;
    edge_csv *csv = edge_csv_open(ctx, .data = pieces.at, .length = length,
        .read = pieces.most > 0 ? next_piece : NULL, .arg = &pieces,
        .separator = separator != NULL ? separator[0] : 0, .record_max_bytes = (size_t)number(ctx, "recordMax"),
        .fields_max = (size_t)number(ctx, "fieldsMax"), .records_max = (size_t)number(ctx, "recordsMax"));

    json_t *rows = json_array();
    json_int_t count = 0;
    for (const edge_csv_row *row = NULL; (row = edge_csv_next(ctx, csv)) != NULL; count++)
        if (edge_request_query(ctx, "count") == NULL)
            json_array_append_new(rows, describe(row));
    return json_pack("{s:I, s:o}", "count", count, "rows", rows);
}

EDGE_FUNCTION(csv_rows,
    .summary = "Reads CSV",
    .raw_body = true,
    .consumes = "text/csv",
    .handle = csv_rows);
