/*
 * createGoogleDriveFolderTool: makes a folder in the user's Google Drive, or finds the one of that name.
 *
 * Three round trips to the database: the connection, the log's row, how it ended.
 *
 * Google: https://developers.google.com/workspace/drive/api/reference/rest/v3/files (list, create).
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/field.h"
#include "lib/google_file.h"
#include "lib/idempotency.h"
#include "lib/tool.h"

#define FOLDER "application/vnd.google-apps.folder"

static const char *const if_exists[] = { "create", "reuse", NULL };
static const edge_field input[] = {
    { "userId", EDGE_USER, .help = "Whose Drive; required under the service key" },
    { "folderName", EDGE_TEXT, .min = 1, .max = 255, .required = true, .help = "The folder's name" },
    { "parentFolderId", EDGE_TEXT, .help = "Folder to make it in; \"root\" or absent: My Drive" },
    { "ifExists", EDGE_ENUM, .values = if_exists, .fallback = "create",
        .help = "reuse: a folder of that name in the parent is taken instead" },
    { "idempotencyKey", EDGE_TEXT, .help = "A repeated request with it makes no second folder" },
    { 0 },
};

static const edge_field data_fields[] = {
    { "folderId", EDGE_TEXT, .required = true, .help = "Google's id" },
    { "folderName", EDGE_TEXT, .required = true, .help = "As Drive has it" },
    { "folderUrl", EDGE_URL, .required = true, .help = "Where to open it" },
    TOOL_MESSAGE_FIELD,
    { "reused", EDGE_BOOL, .required = true, .help = "Whether it was there already" },
    TOOL_REPLAYED_FIELD,
    { 0 },
};
static const edge_field output[] = TOOL_OUTPUT(data_fields);

static json_t *check(edge_ctx *ctx, const json_t *in, const edge_field *field, json_t *value)
{
    (void)in;
    if (field_is(field, "parentFolderId"))
        return google_file_check_id(ctx, field, value);
    if (!field_is(field, "folderName"))
        return value;
    value = field_trimmed(ctx, value);
    field_refuse_controls(ctx, field->name, json_string_value(value));
    return value;
}

/* A name as it stands in a query: https://developers.google.com/workspace/drive/api/guides/ref-search-terms */
static const char *quoted(edge_ctx *ctx, const char *name)
{
    char *text = edge_alloc(ctx, 2 * strlen(name) + 1), *end = text;
    for (; *name != '\0'; *end++ = *name++)
        if (*name == '\\' || *name == '\'')
            *end++ = '\\';
    return text;
}

/* The oldest folder of that name in the parent, NULL when there is none. */
static json_t *find_folder(struct tool *tool, const char *name, const char *parent)
{
    edge_ctx *ctx = tool->ctx;
    const char *query =
        edge_format(ctx, "mimeType = '" FOLDER "' and trashed = false and name = '%s' and '%s' in parents",
            quoted(ctx, name), parent != NULL ? parent : "root");
    json_t *list = tool_call(tool, .provider = "google_apis", .what = "Looking for the folder", .reads = true,
        .path = edge_format(ctx,
            "/drive/v3/files?q=%s&orderBy=createdTime&pageSize=1&spaces=drive&supportsAllDrives=true"
            "&includeItemsFromAllDrives=true&fields=%s",
            edge_url_encode(ctx, query), edge_url_encode(ctx, "files(id,name)")));
    json_t *folder = json_array_get(json_object_get(list, "files"), 0);
    return edge_json_text(folder, "id") != NULL ? folder : NULL;
}

static json_t *create_folder(struct tool *tool, const char *name, const char *parent)
{
    json_t *file = json_pack("{s:s, s:s}", "name", name, "mimeType", FOLDER);
    if (parent != NULL)
        json_object_set_new(file, "parents", json_pack("[s]", parent));
    return tool_call(tool, .provider = "google_apis", .method = "POST", .what = "Creating the folder",
        .path = "/drive/v3/files?supportsAllDrives=true&fields=id,name", .json = file, .id = "id");
}

static json_t *folder_data(edge_ctx *ctx, json_t *folder, const char *asked_name, bool reused)
{
    const char *id = edge_json_text(folder, "id"), *name = edge_json_text(folder, "name");
    if (name == NULL)
        name = asked_name;
    return json_pack("{s:s, s:s, s:s, s:s, s:b}", "folderId", id, "folderName", name, "folderUrl",
        edge_format(ctx, "https://drive.google.com/drive/folders/%s", id), "message",
        edge_format(ctx, reused ? "The folder \"%s\" is there already" : "Created the folder \"%s\"", name),
        "reused", reused);
}

static json_t *create_google_drive_folder(edge_ctx *ctx, json_t *in)
{
    const char *name = edge_json_text(in, "folderName"), *parent = edge_json_text(in, "parentFolderId");
    const char *key = idempotency_key(ctx, in);
    bool may_reuse = strcmp(edge_json_text(in, "ifExists"), "reuse") == 0;

    struct tool *tool = tool_begin(ctx, "google_workspace");
    json_t *summary = json_pack("{s:s, s:s?, s:b}", "folderName", name, "parentFolderId", parent, "reused", 0);
    json_t *done =
        tool_log(tool, &(const struct tool_work){ "createGoogleDriveFolder", key, input, in, summary });
    if (done != NULL)
        return tool_answer(done);

    json_t *folder = may_reuse ? find_folder(tool, name, parent) : NULL;
    bool reused = folder != NULL;
    json_object_set_new(summary, "reused", json_boolean(reused));
    if (!reused)
        folder = create_folder(tool, name, parent);

    json_t *data = folder_data(ctx, folder, name, reused);
    return tool_succeed(tool, data, edge_json_text(data, "folderUrl"));
}

EDGE_FUNCTION(createGoogleDriveFolderTool,
    .summary = "Creates a folder in the user's Google Drive",
    .input = input,
    .check = check,
    .output = output,
    .shape = &tool_shape,
    .handle = create_google_drive_folder);
