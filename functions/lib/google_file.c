/*
 * Files in Google Drive (https://developers.google.com/workspace/drive/api/reference/rest/v3/files/update).
 */
#include "lib/google_file.h"

#include <string.h>

#include "lib/field.h"

enum {
    ID_MAX = 128,
};

json_t *google_file_check_id(edge_ctx *ctx, const edge_field *field, json_t *value)
{
    field_check_characters(ctx, field->name, json_string_value(value), FIELD_LETTERS FIELD_DIGITS "_-", ID_MAX,
        "a Drive id: 1 to 128 letters, digits, - and _");
    return value;
}

static struct tool_result add_parent(const struct google_move *move, const char *leave)
{
    edge_ctx *ctx = move->tool->ctx;
    return tool_try_call(move->tool, .provider = "google_apis", .method = "PATCH",
        .what = "Moving it to the folder", .json = json_object(),
        .path = edge_format(ctx, "/drive/v3/files/%s?addParents=%s%s&supportsAllDrives=true&fields=id,parents",
            edge_url_encode(ctx, move->file_id), edge_url_encode(ctx, move->folder_id), leave));
}

/* Drive gives no second parent to a file
 * (https://developers.google.com/workspace/drive/api/guides/ref-single-parent). */
static bool has_a_parent(const edge_reply *reply)
{
    const json_t *errors =
        json_object_get(json_object_get(reply != NULL ? reply->json : NULL, "error"), "errors");
    const char *reason = edge_json_text(json_array_get(errors, 0), "reason");
    return reason != NULL && strcmp(reason, "cannotAddParent") == 0;
}

void *google_move_run(edge_ctx *ctx, void *arg)
{
    struct google_move *move = arg;
    (void)ctx;
    if (move->folder_id == NULL)
        return NULL;
    struct tool_result result = add_parent(move, "");
    if (has_a_parent(result.reply))
        result = add_parent(move, "&removeParents=root"); /* where new files are */
    move->failure = result.failure;
    return NULL;
}

void google_move_tell(const struct google_move *move, json_t *data)
{
    if (move->folder_id == NULL)
        return;
    json_object_set_new(data, "movedToFolder", json_boolean(move->failure == NULL));
    if (move->failure != NULL)
        json_object_set_new(data, "warning", json_string(move->failure->said.message));
}
