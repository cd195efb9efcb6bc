/*
 * createGoogleSheetTool: makes a spreadsheet with its cells in one call, so that there is never a half-filled
 * one (https://developers.google.com/workspace/sheets/api/reference/rest/v4/spreadsheets/create).
 *
 * Three round trips to the database: the connection, the log's row, how it ended.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/google_file.h"
#include "lib/idempotency.h"
#include "lib/sheet.h"
#include "lib/tool.h"

static const edge_field data_fields[] = {
    { "spreadsheetId", EDGE_TEXT, .required = true, .help = "Google's id" },
    { "title", EDGE_TEXT, .required = true, .help = "As asked for" },
    { "url", EDGE_URL, .required = true, .help = "Where to edit it" },
    TOOL_MESSAGE_FIELD,
    { "rowsWritten", EDGE_INT, .required = true, .help = "Rows in it, the header row among them" },
    GOOGLE_MOVE_FIELDS,
    TOOL_REPLAYED_FIELD,
    { 0 },
};
static const edge_field output[] = TOOL_OUTPUT(data_fields);

static json_t *create(struct tool *tool, const char *title, const struct sheet *sheet)
{
    return tool_call(tool, .provider = "google_sheets", .method = "POST", .path = "/v4/spreadsheets",
        .what = "Creating the spreadsheet", .json = sheet_request(title, sheet), .id = "spreadsheetId");
}

static json_t *create_google_sheet(edge_ctx *ctx, json_t *in)
{
    const char *title = edge_json_text(in, "title"), *folder_id = edge_json_text(in, "folderId");
    const char *key = idempotency_key(ctx, in);
    struct sheet sheet = sheet_read(in);

    struct tool *tool = tool_begin(ctx, "google_workspace");
    json_t *summary = json_pack("{s:s, s:I, s:I}", "title", title, "rows", (json_int_t)sheet_row_count(&sheet),
        "columns", (json_int_t)sheet.column_count);
    json_t *done =
        tool_log(tool, &(const struct tool_work){ "createGoogleSheet", key, sheet_input, in, summary });
    if (done != NULL)
        return tool_answer(done);

    const char *id = edge_json_text(create(tool, title, &sheet), "spreadsheetId");
    tool->url = edge_format(ctx, "https://docs.google.com/spreadsheets/d/%s/edit", id);
    struct google_move move = { .tool = tool, .file_id = id, .folder_id = folder_id };
    google_move_run(ctx, &move);

    json_t *data = json_pack("{s:s, s:s, s:s, s:s, s:I}", "spreadsheetId", id, "title", title, "url", tool->url,
        "message", edge_format(ctx, "Created the spreadsheet \"%s\"", title), "rowsWritten",
        (json_int_t)sheet_row_count(&sheet));
    google_move_tell(&move, data);
    return tool_succeed(tool, data, tool->url);
}

EDGE_FUNCTION(createGoogleSheetTool,
    .summary = "Creates a spreadsheet with an optional header row and data rows",
    .input = sheet_input,
    .check = sheet_check,
    .output = output,
    .shape = &tool_shape,
    .handle = create_google_sheet);
