/*
 * sandbox_followupboss: stand-in for Follow Up Boss (https://docs.followupboss.com/reference): who a key
 * belongs to, tasks and notes. A key with "invalid" in it is none, one with "expired" belongs to an account
 * that is locked.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/sandbox.h"

static json_t *refuse(edge_ctx *ctx, const json_t *order, int status, const char *message)
{
    return sandbox_send_json(ctx, order, status, json_pack("{s:s}", "errorMessage", message));
}

/* https://docs.followupboss.com/reference/authentication: the key as user name, no password. */
static json_t *check_access(edge_ctx *ctx, const json_t *order, const char **key)
{
    const char *given = edge_request_header(ctx, "authorization");
    size_t length = 0;
    char *pair = given != NULL && strncmp(given, "Basic ", 6) == 0
                     ? (char *)edge_base64_decode(ctx, given + 6, &length)
                     : NULL;
    if (pair == NULL || length < 2 || pair[length - 1] != ':')
        return refuse(ctx, order, 401, "You have to be logged in to use this resource.");
    const char *user = edge_copy_bytes(ctx, pair, length - 1);
    if (strstr(user, "invalid") != NULL)
        return refuse(ctx, order, 401, "Invalid API key.");
    if (strstr(user, "expired") != NULL)
        return refuse(ctx, order, 403, "Account has expired.");
    if ((edge_request_header(ctx, "x-system") == NULL) != (edge_request_header(ctx, "x-system-key") == NULL))
        return refuse(ctx, order, 400, "X-System and X-System-Key go together.");
    *key = user;
    return NULL;
}

static bool is_id(const json_t *value)
{
    return json_is_integer(value) && json_integer_value(value) > 0;
}

/* https://docs.followupboss.com/reference/tasks-post */
static json_t *create_task(edge_ctx *ctx, const json_t *order)
{
    static const char *const types[] = { "Follow Up", "Call", "Email", "Text", "Appointment", "Showing",
        "Closing", "Open House", "Thank You", NULL };
    json_t *task = sandbox_body(ctx);
    const char *type = edge_json_text(task, "type"), *name = edge_json_text(task, "name");
    bool known = false;
    for (const char *const *one = types; type != NULL && *one != NULL; one++)
        known = known || strcmp(*one, type) == 0;
    if (!is_id(json_object_get(task, "personId")))
        return refuse(ctx, order, 400, "Field personId is required.");
    if (!is_id(json_object_get(task, "assignedUserId")))
        return refuse(ctx, order, 400, "Field assignedUserId is required.");
    if (!known || name == NULL || name[0] == '\0')
        return refuse(ctx, order, 400, "Fields name and type are required.");
    json_object_set_new(task, "id", json_integer(4000 + edge_now_exact() / 1000 % 1000000));
    json_object_set_new(task, "isCompleted", json_integer(0));
    return sandbox_send_json(ctx, order, 201, task);
}

/* https://docs.followupboss.com/reference/notes-post */
static json_t *create_note(edge_ctx *ctx, const json_t *order)
{
    json_t *note = sandbox_body(ctx);
    if (!is_id(json_object_get(note, "personId")) || edge_json_text(note, "body") == NULL)
        return refuse(ctx, order, 400, "Fields personId and body are required.");
    json_object_set_new(note, "id", json_integer(7000 + edge_now_exact() / 1000 % 1000000));
    return sandbox_send_json(ctx, order, 201, note);
}

/* https://docs.followupboss.com/reference/people-get; a number that ends in 0000 is nobody's. */
static json_t *find_people(edge_ctx *ctx, const json_t *order)
{
    const char *phone = edge_request_query(ctx, "phone");
    size_t length = phone != NULL ? strlen(phone) : 0;
    bool known = length > 4 && strcmp(phone + length - 4, "0000") != 0;
    json_t *people =
        known ? json_pack("[{s:I, s:s}]", "id", (json_int_t)5001, "name", "Lead Example") : json_array();
    return sandbox_send_json(ctx, order, 200,
        json_pack("{s:{s:s, s:I}, s:o}", "_metadata", "collection", "people", "total",
            (json_int_t)json_array_size(people), "people", people));
}

/* https://docs.followupboss.com/reference/calls-post */
static json_t *create_call(edge_ctx *ctx, const json_t *order)
{
    static const char *const outcomes[] = { "Interested", "Not Interested", "Left Message", "No Answer", "Busy",
        "Bad Number", NULL };
    json_t *call = sandbox_body(ctx);
    const char *outcome = edge_json_text(call, "outcome");
    bool known = outcome == NULL;
    for (const char *const *one = outcomes; outcome != NULL && *one != NULL; one++)
        known = known || strcmp(*one, outcome) == 0;
    if (edge_json_text(call, "phone") == NULL || !json_is_boolean(json_object_get(call, "isIncoming")) ||
        !known)
        return refuse(ctx, order, 400, "Fields phone and isIncoming are required.");
    json_object_set_new(call, "id", json_integer(9000 + edge_now_exact() / 1000 % 1000000));
    return sandbox_send_json(ctx, order, 201, call);
}

static json_t *sandbox_crm(edge_ctx *ctx, json_t *in)
{
    (void)in;
    json_t *order = sandbox_receive(ctx, "followupboss");
    if (sandbox_has_answer(order))
        return sandbox_answer(ctx, order);
    const char *key = NULL, *path = edge_request_rest(ctx);
    json_t *refused = check_access(ctx, order, &key);
    if (key == NULL)
        return refused;

    edge_response_header(ctx, "X-RateLimit-Window", "10");
    if (strcmp(edge_request_method(ctx), "GET") == 0 && strcmp(path, "/v1/me") == 0)
        return sandbox_send_json(ctx, order, 200,
            json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s}", "id", 2, "name", "Ann Lee", "firstName", "Ann",
                "lastName", "Lee", "email", "ann@example.com", "role", "Broker", "apiKey", key));
    if (strcmp(edge_request_method(ctx), "POST") == 0 && strcmp(path, "/v1/tasks") == 0)
        return create_task(ctx, order);
    if (strcmp(edge_request_method(ctx), "GET") == 0 && strcmp(path, "/v1/people") == 0)
        return find_people(ctx, order);
    if (strcmp(edge_request_method(ctx), "POST") == 0 && strcmp(path, "/v1/calls") == 0)
        return create_call(ctx, order);
    if (strcmp(edge_request_method(ctx), "POST") == 0 && strcmp(path, "/v1/notes") == 0)
        return create_note(ctx, order);
    return refuse(ctx, order, 404, "Resource not found.");
}

EDGE_FUNCTION(sandbox_followupboss,
    .summary = "Stand-in for Follow Up Boss",
    .handle = sandbox_crm,
    .methods = "GET POST",
    .raw_body = true,
    .streams = true);
