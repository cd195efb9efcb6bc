/*
 * Files that tools make in a user's Google Drive.
 */
#ifndef LIB_GOOGLE_FILE_H
#define LIB_GOOGLE_FILE_H

#include "lib/tool.h"

/* Refuses what is no Drive id: 1 to 128 letters, digits, - and _. */
json_t *google_file_check_id(edge_ctx *ctx, const edge_field *field, json_t *value);

/* What google_move_tell adds to a tool's data. */
#define GOOGLE_MOVE_FIELDS                                                                                     \
    { "movedToFolder", EDGE_BOOL, .help = "With folderId: whether it is there" },                              \
    {                                                                                                          \
        "warning", EDGE_TEXT, .help = "Why it could not be moved"                                              \
    }

/* A file and the folder that it is to be put into. */
struct google_move {
    struct tool *tool;
    const char *file_id, *folder_id; /* folder_id NULL: it stays where it is */
    const struct tool_failure *failure;
};

/*
 * Puts the file into the folder (edge_spawn's shape: arg is a struct google_move). When Drive says that a file
 * has one parent only, which is so in every My Drive since 2020, the file leaves the root for it.
 */
void *google_move_run(edge_ctx *ctx, void *move);

/* Tells how the move went: "movedToFolder", and "warning" when it failed. Nothing without a folder. */
void google_move_tell(const struct google_move *move, json_t *data);

#endif
