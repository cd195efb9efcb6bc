/*
 * updateTaskStatus: changes a task's status. One round trip.
 */
#include <edge/edge.h>

#include "lib/task.h"

static const edge_field input[] = {
    { "taskId", EDGE_UUID, .required = true, .help = "One of the caller's tasks" },
    { "status", EDGE_ENUM, .values = task_statuses, .required = true,
        .help = "completed keeps the time of the first completion" },
    { 0 },
};

static const edge_problem problems[] = {
    { 404, "task_not_found", "The caller has no such task" },
    { 0 },
};

static json_t *update_task_status(edge_ctx *ctx, json_t *in)
{
    const char *id = edge_json_text(in, "taskId");
    edge_rows *task = edge_query(ctx,
        "UPDATE daily_actions"
        " SET status = $2, completed_at = CASE WHEN $2 = 'completed' THEN coalesce(completed_at, now()) END"
        " WHERE id = $1"
        " RETURNING *",
        edge_uuid(id), edge_text(edge_json_text(in, "status")));

    if (edge_rows_count(task) == 0)
        edge_fail(ctx, 404, "task_not_found", "Task \"%s\" does not exist", id);
    return json_pack("{s:b, s:o}", "success", 1, "data", edge_row_json(task, 0));
}

EDGE_FUNCTION(updateTaskStatus,
    .summary = "Changes a task's status",
    .input = input,
    .output = task_output,
    .problems = problems,
    .handle = update_task_status);
