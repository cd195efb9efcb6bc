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

void *google_move_run(edge_ctx *ctx, void *arg)
{
    struct google_move *move = arg;
    if (move->folder_id == NULL)
        return NULL;
    const char *path =
        edge_format(ctx, "/drive/v3/files/%s?addParents=%s&supportsAllDrives=true&fields=id,parents",
            edge_url_encode(ctx, move->file_id), edge_url_encode(ctx, move->folder_id));
    move->failure = tool_try_call(move->tool, .provider = "google_apis", .method = "PATCH", .path = path,
        .what = "Moving it to the folder", .json = json_object())
                        .failure;
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
