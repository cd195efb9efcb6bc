/*
 * createFollowUpBossTaskTool: adds a task on a person in the user's Follow Up Boss account, once for each
 * idempotency key. Tasks have no description there, so one is kept as a note on the person.
 *
 * Three round trips (connection, audit row and its end), more under the service key, with an idempotency key,
 * and the first time, when the assignee is learnt; one to three calls to Follow Up Boss.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/crm.h"
#include "lib/crm_provider.h"
#include "lib/due_date.h"
#include "lib/idempotency.h"

static const char *const types[] = { "Follow Up", "Call", "Email", "Text", "Appointment", "Showing", "Closing",
    "Open House", "Thank You", NULL };

static const edge_field input[] = {
    { "title", EDGE_TEXT, .min = 1, .max = 255, .required = true, .help = "What is to be done" },
    { "description", EDGE_TEXT, .min = 0, .max = 5000, .help = "More about it; becomes a note on the person" },
    { "dueDate", EDGE_TEXT, .help = "Day, or RFC 3339 time with offset" },
    { "personId", EDGE_ID, .min = 1, .max = INT32_MAX, .help = "Whom it is about; required" },
    { "taskType", EDGE_ENUM, .values = types, .fallback = "Follow Up", .help = "Kind of task" },
    { "assignedUserId", EDGE_INT, .min = 1, .max = 9007199254740991,
        .help = "Who is to do it; the key's owner" },
    { "idempotencyKey", EDGE_TEXT, .help = "A repeated call with it adds nothing" },
    { "userId", EDGE_USER, .help = "Whose account; required under the service key" },
    { 0 },
};

static const edge_field data_fields[] = {
    { "taskId", EDGE_INT, .required = true, .help = "The task there" },
    { "title", EDGE_TEXT, .required = true, .help = "As it is called there" },
    TOOL_MESSAGE_FIELD,
    CRM_WARNINGS_FIELD,
    TOOL_REPLAYED_FIELD,
    { 0 },
};
static const edge_field output[] = TOOL_OUTPUT(data_fields);

/* https://docs.followupboss.com/reference/authentication, /identification; the calls: /tasks-post, /notes-post.
 */
static const edge_header *headers_of(struct crm *crm)
{
    edge_ctx *ctx = crm->ctx;
    const char *pair = edge_format(ctx, "%s:", crm_credential(crm, "api_key"));
    const char *system = edge_env(ctx, "FOLLOWUPBOSS_SYSTEM"), *key = edge_env(ctx, "FOLLOWUPBOSS_SYSTEM_KEY");
    edge_header *headers = edge_alloc(ctx, 4 * sizeof *headers);
    headers[0] =
        (edge_header){ "Authorization", edge_format(ctx, "Basic %s", edge_base64(ctx, pair, strlen(pair))) };
    if (system != NULL && key != NULL) {
        headers[1] = (edge_header){ "X-System", system };
        headers[2] = (edge_header){ "X-System-Key", key };
    }
    return headers;
}

/* The API wants an assignee. Who the key belongs to is asked once and kept with the connection. */
static json_t *assignee(struct crm *crm, json_t *in)
{
    json_t *asked = json_object_get(in, "assignedUserId");
    json_t *kept = json_object_get(crm->connection->settings, "fub_user_id");
    if (json_is_integer(asked))
        return asked;
    if (json_is_integer(kept))
        return kept;
    json_t *id = json_object_get(crm_json(crm, crm_call(crm, .path = "/v1/me")), "id");
    if (!json_is_integer(id))
        crm_fail(crm, crm_unusable(crm, "Follow Up Boss did not say whose key it is"));
    connection_save_settings(crm->connection, json_pack("{s:O}", "fub_user_id", id));
    return id;
}

static json_t *task_of(edge_ctx *ctx, json_t *in, json_t *assignee)
{
    const char *due_date = edge_json_text(in, "dueDate");
    json_t *task = json_pack("{s:O, s:O, s:O, s:O}", "personId", json_object_get(in, "personId"), "name",
        json_object_get(in, "title"), "type", json_object_get(in, "taskType"), "assignedUserId", assignee);
    if (due_date != NULL)
        json_object_set_new(
            task, due_date_is_day(ctx, due_date) ? "dueDate" : "dueDateTime", json_string(due_date));
    return task;
}

/* The task is there by now: a note that fails is a warning. */
static void add_note(struct crm *crm, json_t *in, json_t *data)
{
    json_t *note = json_pack("{s:O, s:O, s:O}", "personId", json_object_get(in, "personId"), "subject",
        json_object_get(in, "title"), "body", json_object_get(in, "description"));
    edge_reply *reply = crm_try_call(crm, .method = "POST", .path = "/v1/notes", .json = note);
    if (crm_failure_of(crm, reply) != NULL)
        json_object_set_new(data, "warnings", json_pack("[s]", "note_not_added"));
}

static json_t *create_task(edge_ctx *ctx, json_t *in)
{
    if (json_object_get(in, "personId") == NULL)
        edge_fail_with(ctx, 400, "invalid_input", .field = "personId", .message = "personId is required",
            .suggestion = "Ask which contact the task is for; tasks in Follow Up Boss belong to a person");
    idempotency_key(ctx, in);

    struct crm *crm = crm_open(ctx, &crm_followupboss, "Failed to create task");
    crm->headers = headers_of(crm);
    json_t *task = task_of(ctx, in, assignee(crm, in));

    json_t *before = crm_begin(crm, "createFollowUpBossTask", input, in, NULL);
    if (before != NULL)
        return crm_replay(before);

    json_t *made = crm_json(crm, crm_call(crm, .method = "POST", .path = "/v1/tasks", .json = task));
    json_t *id = json_object_get(made, "id"), *name = json_object_get(made, "name");
    if (!json_is_integer(id))
        crm_fail(crm, crm_unusable(crm, "Follow Up Boss named no task"));

    json_t *data = json_pack(
        "{s:O, s:O}", "taskId", id, "title", json_is_string(name) ? name : json_object_get(in, "title"));
    json_t *answer = crm_answer(data, "Follow Up Boss task created successfully");
    if (edge_json_text(in, "description") != NULL)
        add_note(crm, in, data);
    crm_done(crm, data);
    return answer;
}

EDGE_FUNCTION(createFollowUpBossTaskTool,
    .summary = "Adds a task on a person in the user's Follow Up Boss account",
    .input = input,
    .output = output,
    .handle = create_task,
    .check = due_date_check,
    .shape = &crm_shape,
    .trims = true);
