/*
 * sandbox_google_sheets: stand-in for Google Sheets, spreadsheets.create
 * (https://developers.google.com/workspace/sheets/api/reference/rest/v4/spreadsheets). It refuses cells that
 * the real one does not know: a value has exactly one kind (ExtendedValue).
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/sandbox.h"
#include "lib/sandbox_google.h"

static bool is_value(const json_t *value)
{
    static const char *const kinds[] = { "numberValue", "stringValue", "boolValue", "formulaValue" };
    size_t known = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        known += json_object_get(value, kinds[i]) != NULL;
    return known == 1 && json_object_size(value) == 1;
}

static bool is_cell(const json_t *cell)
{
    const json_t *value = json_object_get(cell, "userEnteredValue");
    return json_is_object(cell) && (value == NULL || is_value(value));
}

static bool are_rows(json_t *rows, int64_t row_count, int64_t column_count)
{
    size_t i, j;
    json_t *row, *cell;
    if ((int64_t)json_array_size(rows) > row_count)
        return false;
    json_array_foreach(rows, i, row)
    {
        json_t *values = json_object_get(row, "values");
        if ((int64_t)json_array_size(values) > column_count)
            return false;
        json_array_foreach(values, j, cell) if (!is_cell(cell)) return false;
    }
    return true;
}

static bool is_sheet(json_t *sheet)
{
    const json_t *grid = edge_json_path(sheet, "properties.gridProperties");
    json_t *data = json_array_get(json_object_get(sheet, "data"), 0);
    return are_rows(json_object_get(data, "rowData"), edge_json_int(grid, "rowCount", 1000),
        edge_json_int(grid, "columnCount", 26));
}

static json_t *create(edge_ctx *ctx, json_t *request)
{
    json_t *sheets = json_object_get(request, "sheets"), *sheet;
    size_t i;
    json_array_foreach(sheets, i, sheet) if (!is_sheet(sheet)) return sandbox_google_error(ctx, 400,
        "badRequest", "INVALID_ARGUMENT", edge_format(ctx, "Invalid value at 'spreadsheet.sheets[%zu]'", i));

    const char *id = sandbox_google_id(ctx),
               *title = edge_json_text(edge_json_path(request, "properties"), "title");
    return json_pack("{s:s, s:{s:s, s:s}, s:s}", "spreadsheetId", id, "properties", "title",
        title != NULL ? title : "Untitled spreadsheet", "locale", "en_US", "spreadsheetUrl",
        edge_format(ctx, "https://docs.google.com/spreadsheets/d/%s/edit", id));
}

static json_t *sandbox_google_sheets(edge_ctx *ctx, json_t *in)
{
    (void)in;
    json_t *order = sandbox_receive(ctx, "google_sheets"), *request = sandbox_body(ctx), *refusal;
    if (sandbox_has_answer(order))
        return sandbox_answer(ctx, order);
    if ((refusal = sandbox_google_refusal(ctx)) != NULL)
        return refusal;
    if (strcmp(edge_request_rest(ctx), "/v4/spreadsheets") != 0)
        return sandbox_google_error(ctx, 404, "notFound", "NOT_FOUND", "Requested entity was not found.");
    return json_is_object(request) ? create(ctx, request) : sandbox_google_bad_body(ctx);
}

EDGE_FUNCTION(sandbox_google_sheets,
    .summary = "Stand-in for Google Sheets",
    .handle = sandbox_google_sheets,
    .raw_body = true,
    .streams = true);
