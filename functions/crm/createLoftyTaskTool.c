/*
 * createLoftyTaskTool: adds a to-do in the user's Lofty CRM, once for each idempotency key.
 *
 * Four round trips (connection, due date, audit row and its end), one or two more under the service key or with
 * an idempotency key; one call to Lofty.
 */
#include <edge/edge.h>

#include "lib/crm.h"
#include "lib/crm_provider.h"
#include "lib/due_date.h"
#include "lib/idempotency.h"

static const char *const types[] = { "Call", "Email", "Text", "Other", NULL };

static const edge_field input[] = {
    { "title", EDGE_TEXT, .min = 1, .max = 255, .required = true, .help = "What is to be done" },
    { "description", EDGE_TEXT, .min = 0, .max = 2000, .help = "More about it" },
    { "dueDate", EDGE_TEXT, .help = "Day (17:00 in the user's zone is meant), or RFC 3339 time with offset" },
    { "contactId", EDGE_ID, .min = 1, .max = 0x1p63, .help = "Lofty's id of the lead it is about" },
    { "taskType", EDGE_ENUM, .values = types, .fallback = "Other", .help = "Kind of task" },
    { "idempotencyKey", EDGE_TEXT, .help = "A repeated call with it adds nothing" },
    { "userId", EDGE_USER, .help = "Whose CRM; required under the service key" },
    { 0 },
};

static const edge_field data_fields[] = {
    { "taskId", EDGE_TEXT, .required = true, .help = "The task there, in decimal digits" },
    { "title", EDGE_TEXT, .required = true, .help = "As it was sent" },
    TOOL_MESSAGE_FIELD,
    TOOL_REPLAYED_FIELD,
    { 0 },
};
static const edge_field output[] = TOOL_OUTPUT(data_fields);

/* https://developer.lofty.com/api-reference/tasks/v2/create-task: the title is the first line of the content.
 */
static json_t *task_of(edge_ctx *ctx, json_t *in)
{
    const char *title = edge_json_text(in, "title"), *description = edge_json_text(in, "description");
    const char *due_date = edge_json_text(in, "dueDate");
    json_t *task = json_pack("{s:O, s:s, s:s, s:O*}", "type", json_object_get(in, "taskType"), "content",
        description != NULL ? edge_format(ctx, "%s\n%s", title, description) : title, "assignedRole", "Agent",
        "leadId", json_object_get(in, "contactId"));
    if (due_date != NULL) {
        struct due due = due_date_in_zone(ctx, due_date);
        json_object_set_new(task, "endAt", json_string(due.at));
        json_object_set_new(task, "timeZoneCode", json_string(due.zone));
    }
    return task;
}

static json_t *create_task(edge_ctx *ctx, json_t *in)
{
    idempotency_key(ctx, in);

    struct crm *crm = crm_open(ctx, &crm_lofty, "Failed to create task");
    const char *authorization = edge_format(ctx, "token %s", crm_credential(crm, "api_key"));
    crm->headers = (const edge_header[]){ { "Authorization", authorization }, { 0 } };
    json_t *task = task_of(ctx, in);

    json_t *before = crm_begin(crm, "createLoftyTask", input, in, NULL);
    if (before != NULL)
        return crm_replay(before);

    edge_reply *reply = crm_call(crm, .method = "POST", .path = "/v2.0/tasks", .json = task);
    const char *task_id = crm_digits(ctx, json_object_get(crm_json(crm, reply), "taskId"));
    if (task_id == NULL)
        crm_fail(crm, crm_unusable(crm, "Lofty named no task"));

    json_t *data = json_pack("{s:s, s:O}", "taskId", task_id, "title", json_object_get(in, "title"));
    json_t *answer = crm_answer(data, "Lofty task created successfully");
    crm_done(crm, data);
    return answer;
}

EDGE_FUNCTION(createLoftyTaskTool,
    .summary = "Adds a task to the user's Lofty CRM",
    .input = input,
    .output = output,
    .handle = create_task,
    .check = due_date_check,
    .shape = &crm_shape,
    .trims = true);
