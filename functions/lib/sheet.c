/*
 * Rows of a new spreadsheet. Cells are values, never formulas: what a lead's name begins with must not be run.
 */
#include "lib/sheet.h"

#include <math.h>

#include "lib/field.h"
#include "lib/google_file.h"
#include "lib/text.h"

enum {
    COLUMNS_MAX = 256,
    ROWS_MAX = 10000,
    CELLS_MAX = 100000,
    CELL_MAX = 50000,
    ROWS_MIN = 1000, /* of the grid, as Google's own new sheets have */
    COLUMNS_MIN = 26,
};

const edge_field sheet_input[] = {
    { "userId", EDGE_USER, .help = "Whose spreadsheet; required under the service key" },
    { "title", EDGE_TEXT, .min = 1, .max = 300, .required = true, .help = "The spreadsheet's title" },
    { "headers", EDGE_ARRAY, .min = 0, .max = COLUMNS_MAX, .help = "Cells of the header row" },
    { "data", EDGE_ARRAY, .min = 0, .max = ROWS_MAX,
        .help = "Rows, each an array of cells (string, number, true, false, null), or each an object" },
    { "folderId", EDGE_TEXT, .help = "Drive folder to move it to" },
    { "idempotencyKey", EDGE_TEXT, .help = "A repeated request with it makes no second spreadsheet" },
    { 0 },
};

/* An empty array is none. */
static const json_t *rows_of(const json_t *in, const char *name)
{
    const json_t *array = json_object_get(in, name);
    return json_array_size(array) > 0 ? array : NULL;
}

static void check_cell(edge_ctx *ctx, const char *path, const json_t *cell)
{
    bool finite = !json_is_real(cell) || isfinite(json_real_value(cell));
    if (json_is_object(cell) || json_is_array(cell) || !finite)
        field_fail(ctx, path, "must be a string, a number, true, false or null");
    if (json_is_string(cell) && text_characters(json_string_value(cell)) > CELL_MAX)
        field_fail(ctx, path, "must have at most %d characters", CELL_MAX);
}

static void check_cells(edge_ctx *ctx, const char *path, const json_t *cells)
{
    if (json_array_size(cells) > COLUMNS_MAX)
        field_fail(ctx, path, "must have at most %d cells", COLUMNS_MAX);
    for (size_t i = 0; i < json_array_size(cells); i++)
        check_cell(ctx, edge_format(ctx, "%s[%zu]", path, i), json_array_get(cells, i));
}

/* Rows that are objects: columns are the headers, else the first row's keys. */
static const json_t *columns_of(const json_t *in, const json_t *rows)
{
    const json_t *headers = rows_of(in, "headers");
    if (headers != NULL || !json_is_object(json_array_get(rows, 0)))
        return headers;
    json_t *keys = json_array();
    const char *key;
    json_t *value;
    json_object_foreach(json_array_get(rows, 0), key, value) json_array_append_new(keys, json_string(key));
    return keys;
}

static void check_columns(edge_ctx *ctx, const json_t *in, const json_t *columns)
{
    bool given = rows_of(in, "headers") != NULL;
    if (json_array_size(columns) > COLUMNS_MAX)
        field_fail(ctx, "data[0]", "must have at most %d members", COLUMNS_MAX);
    for (size_t i = 0; given && i < json_array_size(columns); i++)
        if (!json_is_string(json_array_get(columns, i)))
            field_fail(ctx, edge_format(ctx, "headers[%zu]", i), "must be a string when rows are objects");
}

static void check_members(edge_ctx *ctx, const char *path, const json_t *row, const json_t *columns)
{
    for (size_t i = 0; i < json_array_size(columns); i++) {
        const char *key = json_string_value(json_array_get(columns, i));
        check_cell(ctx, edge_format(ctx, "%s.%s", path, key), json_object_get(row, key));
    }
}

static void check_rows(edge_ctx *ctx, const json_t *in, const json_t *rows)
{
    bool objects = json_is_object(json_array_get(rows, 0));
    const json_t *columns = objects ? columns_of(in, rows) : NULL;
    size_t cells = json_array_size(rows_of(in, "headers"));
    check_columns(ctx, in, columns);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        const char *path = edge_format(ctx, "data[%zu]", i);
        if (objects ? !json_is_object(row) : !json_is_array(row))
            field_fail(ctx, path, "must be %s", objects ? "an object, as the first row" : "an array of cells");
        if (objects)
            check_members(ctx, path, row, columns);
        else
            check_cells(ctx, path, row);
        cells += objects ? json_array_size(columns) : json_array_size(row);
    }
    if (cells > CELLS_MAX)
        field_fail(ctx, "data", "must have at most %d cells with the header, has %zu", CELLS_MAX, cells);
}

json_t *sheet_check(edge_ctx *ctx, const json_t *in, const edge_field *field, json_t *value)
{
    if (field_is(field, "title"))
        return field_trimmed(ctx, value);
    if (field_is(field, "headers"))
        check_cells(ctx, field->name, value);
    if (field_is(field, "data"))
        check_rows(ctx, in, value);
    return field_is(field, "folderId") ? google_file_check_id(ctx, field, value) : value;
}

struct sheet sheet_read(const json_t *in)
{
    struct sheet sheet = { .rows = rows_of(in, "data") };
    const json_t *columns = columns_of(in, sheet.rows);
    sheet.header = json_array_size(columns) > 0 ? columns : NULL;
    sheet.column_count = json_array_size(sheet.header);
    for (size_t i = 0; i < json_array_size(sheet.rows); i++) {
        size_t width = json_array_size(json_array_get(sheet.rows, i));
        sheet.column_count = width > sheet.column_count ? width : sheet.column_count;
    }
    return sheet;
}

size_t sheet_row_count(const struct sheet *sheet)
{
    return json_array_size(sheet->rows) + (sheet->header != NULL);
}

static json_t *cell_json(const json_t *cell)
{
    const char *kind = json_is_string(cell)    ? "stringValue"
                       : json_is_number(cell)  ? "numberValue"
                       : json_is_boolean(cell) ? "boolValue"
                                               : NULL;
    return kind != NULL ? json_pack("{s:{s:O}}", "userEnteredValue", kind, cell) : json_object();
}

static json_t *header_json(const json_t *header)
{
    json_t *values = json_array();
    for (size_t i = 0; i < json_array_size(header); i++) {
        json_t *cell = cell_json(json_array_get(header, i));
        json_object_set_new(cell, "userEnteredFormat", json_pack("{s:{s:b}}", "textFormat", "bold", 1));
        json_array_append_new(values, cell);
    }
    return json_pack("{s:o}", "values", values);
}

static json_t *row_json(const json_t *row, const json_t *columns)
{
    json_t *values = json_array();
    for (size_t i = 0; json_is_object(row) && i < json_array_size(columns); i++)
        json_array_append_new(
            values, cell_json(json_object_get(row, json_string_value(json_array_get(columns, i)))));
    for (size_t i = 0; i < json_array_size(row); i++)
        json_array_append_new(values, cell_json(json_array_get(row, i)));
    return json_pack("{s:o}", "values", values);
}

static json_t *rows_json(const struct sheet *sheet)
{
    json_t *rows = json_array();
    if (sheet->header != NULL)
        json_array_append_new(rows, header_json(sheet->header));
    for (size_t i = 0; i < json_array_size(sheet->rows); i++)
        json_array_append_new(rows, row_json(json_array_get(sheet->rows, i), sheet->header));
    return rows;
}

json_t *sheet_request(const char *title, const struct sheet *sheet)
{
    size_t rows = sheet_row_count(sheet), columns = sheet->column_count;
    json_t *request = json_pack("{s:{s:s}}", "properties", "title", title);
    if (rows == 0)
        return request;
    json_t *grid = json_pack("{s:I, s:I}", "rowCount", (json_int_t)(rows > ROWS_MIN ? rows : ROWS_MIN),
        "columnCount", (json_int_t)(columns > COLUMNS_MIN ? columns : COLUMNS_MIN));
    if (sheet->header != NULL && rows > 1)
        json_object_set_new(grid, "frozenRowCount", json_integer(1));
    json_t *data = json_pack("[{s:i, s:i, s:o}]", "startRow", 0, "startColumn", 0, "rowData", rows_json(sheet));
    json_object_set_new(
        request, "sheets", json_pack("[{s:{s:o}, s:o}]", "properties", "gridProperties", grid, "data", data));
    return request;
}
