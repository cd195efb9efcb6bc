/*
 * createTask: adds a task to the user's action plan. One transaction of two round trips, three with an
 * idempotency key: the key, the task, the answer under the key with the commit.
 */
#include <edge/edge.h>

#include "lib/idempotency.h"
#include "lib/task.h"

static const char *const priorities[] = { "low", "medium", "high", NULL };

#define NAMES(snake_case)                                                                                      \
    (const char *const[])                                                                                      \
    {                                                                                                          \
        snake_case, NULL                                                                                       \
    }

static const edge_field input[] = {
    { "title", EDGE_TEXT, .min = 1, .max = 255, .required = true, .help = "What is to be done" },
    { "category", EDGE_TEXT, .min = 1, .max = 50, .required = true, .help = "As power_hour" },
    { "dueDate", EDGE_DAY, .required = true, .aliases = NAMES("due_date"), .help = "The day counts" },
    { "description", EDGE_TEXT, .max = 5000, .help = "Details" },
    { "priority", EDGE_ENUM, .values = priorities, .fallback = "medium", .help = "How urgent" },
    { "scheduledTime", EDGE_CLOCK, .aliases = NAMES("scheduled_time"), .help = "Time of the day" },
    { "durationMinutes", EDGE_INT, .min = 1, .max = 1440, .aliases = NAMES("duration_minutes"),
        .help = "How long" },
    { "idempotencyKey", EDGE_TEXT, .help = "Creates once; also as header Idempotency-Key" },
    { 0 },
};

static const edge_problem problems[] = {
    { 404, "user_not_found", "The caller has no profile yet" },
    { 409, "idempotency_conflict", "The key was used for another task" },
    { 0 },
};

static json_t *insert_task(edge_ctx *ctx, edge_tx *tx, json_t *in)
{
    const char *user = edge_auth_user(ctx);
    const json_t *minutes = json_object_get(in, "durationMinutes");
    edge_rows *task = edge_tx_query(tx,
        "INSERT INTO daily_actions (user_id, title, category, due_date, description, priority, scheduled_time,"
        " duration_minutes, status)"
        " SELECT p.id, $2, $3, $4, $5, $6, $7::time, $8, 'pending'"
        " FROM profiles AS p"
        " WHERE p.id = $1"
        " RETURNING *",
        edge_text(user), edge_text(edge_json_text(in, "title")), edge_text(edge_json_text(in, "category")),
        edge_date(edge_json_text(in, "dueDate")), edge_text(edge_json_text(in, "description")),
        edge_text(edge_json_text(in, "priority")), edge_text(edge_json_text(in, "scheduledTime")),
        minutes != NULL ? edge_int(json_integer_value(minutes)) : edge_null());

    /* Selected from, so that a missing profile is no broken reference. */
    if (edge_rows_count(task) == 0)
        edge_fail(ctx, 404, "user_not_found", "User \"%s\" does not exist", user);
    return edge_row_json(task, 0);
}

static json_t *create_task(edge_ctx *ctx, json_t *in)
{
    const char *key = idempotency_key(ctx, in);
    json_t *answer = NULL;
    EDGE_TRANSACTION(ctx, tx)
    {
        answer = idempotent_replay(ctx, tx, "createTask", key, in);
        if (answer == NULL) {
            answer = json_pack("{s:b, s:o}", "success", 1, "data", insert_task(ctx, tx, in));
            idempotent_keep(ctx, tx, "createTask", key, answer);
        }
    }
    return answer;
}

EDGE_FUNCTION(createTask,
    .summary = "Adds a task to the user's action plan",
    .input = input,
    .output = task_output,
    .problems = problems,
    .handle = create_task,
    .trims = true);
