/*
 * manageGoal: creates, updates or deletes one of the user's goals. An update or deletion is one round trip, a
 * creation two in one transaction, three with an idempotency key.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/idempotency.h"

#define NAMES(camel_case)                                                                                      \
    (const char *const[])                                                                                      \
    {                                                                                                          \
        camel_case, NULL                                                                                       \
    }
#define VALUE_MAX 9999999999.99

static const char *const statuses[] = { "active", "at-risk", "completed", "paused", "cancelled", NULL };

#define GOAL_FIELDS(has_title)                                                                                 \
    { "title", EDGE_TEXT, .min = 1, .max = 255, .required = (has_title) },                                     \
        { "goal_type", EDGE_TEXT, .max = 50, .aliases = NAMES("goalType") },                                   \
        { "target_value", EDGE_NUMBER, .min = 0, .max = VALUE_MAX, .aliases = NAMES("targetValue") },          \
        { "current_value", EDGE_NUMBER, .min = 0, .max = VALUE_MAX, .aliases = NAMES("currentValue") },        \
        { "unit", EDGE_TEXT, .max = 50 }, { "timeframe", EDGE_TEXT, .max = 50 }, { "deadline", EDGE_DAY },     \
        { "status", EDGE_ENUM, .values = statuses },                                                           \
        { "confidence_score", EDGE_INT, .min = 0, .max = 100, .aliases = NAMES("confidenceScore") },           \
    {                                                                                                          \
        0                                                                                                      \
    }

static const edge_field titled[] = { GOAL_FIELDS(true) };
static const edge_field untitled[] = { GOAL_FIELDS(false) };

static const edge_field input[] = {
    { "operation", EDGE_TEXT, .required = true, .help = "create, update or delete" },
    { "goalId", EDGE_UUID, .help = "update, delete: which" },
    { "goalData", EDGE_OBJECT,
        .help =
            "create, update: title, goal_type, target_value, current_value, unit, timeframe, deadline, status, "
            "confidence_score (update only)" },
    { "idempotencyKey", EDGE_TEXT, .help = "create: once; also as header Idempotency-Key" },
    { 0 },
};

static const edge_field goal_fields[] = {
    { "id", EDGE_UUID, .required = true, .help = "The goal" },
    { "user_id", EDGE_TEXT, .required = true, .help = "Whose it is" },
    { "title", EDGE_TEXT, .required = true, .help = "What is to be reached" },
    { "goal_type", EDGE_TEXT, .required = true, .help = "As custom" },
    { "target_value", EDGE_NUMBER, .help = "How much is wanted" },
    { "current_value", EDGE_NUMBER, .help = "How much is reached" },
    { "unit", EDGE_TEXT, .help = "Of both values" },
    { "timeframe", EDGE_TEXT, .help = "As annual" },
    { "deadline", EDGE_DATE, .help = "By when" },
    { "confidence_score", EDGE_INT, .help = "0 to 100" },
    { "status", EDGE_TEXT, .help = "As active" },
    { "created_at", EDGE_DATETIME, .help = "When it was entered" },
    { "updated_at", EDGE_DATETIME, .help = "When it was changed last" },
    { "category", EDGE_TEXT, .help = "For the front end's grouping" },
    { "progress_percentage", EDGE_INT, .help = "0 to 100" },
    { "trend", EDGE_TEXT, .help = "As on-track" },
    { "is_active", EDGE_BOOL, .help = "Whether it is shown" },
    { 0 },
};

static const edge_field output[] = {
    { "success", EDGE_BOOL, .required = true, .help = "true" },
    { "goal", EDGE_OBJECT, .fields = goal_fields, .help = "As it is now; none after delete" },
    { 0 },
};

static const edge_problem problems[] = {
    { 400, "invalid_operation", "operation is none of create, update, delete" },
    { 400, "unknown_column", "goalData has a member that is no column; field names it" },
    { 403, "user_mismatch", "goalData names another user" },
    { 404, "goal_not_found", "The caller has no such goal" },
    { 404, "user_not_found", "create: the caller has no profile yet" },
    { 409, "idempotency_conflict", "The key was used for another goal" },
    { 0 },
};

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static json_t *check(edge_ctx *ctx, const json_t *in, const edge_field *field, json_t *value)
{
    (void)in;
    const char *text = json_string_value(value);
    if (is(field->name, "operation") && !is(text, "create") && !is(text, "update") && !is(text, "delete"))
        edge_fail(ctx, 400, "invalid_operation", "Invalid operation");
    return value;
}

static bool is_column(const char *name)
{
    for (const edge_field *field = titled; field->name != NULL; field++)
        if (is(field->name, name) || (field->aliases != NULL && is(field->aliases[0], name)))
            return true;
    return false;
}

/* What a client sends back of a row it has read is no change: the owner has to be the caller, the rest is
 * dropped. */
static void drop_row_members(edge_ctx *ctx, json_t *data, const char *id)
{
    static const char *const owners[] = { "user_id", "userId", NULL };
    static const char *const kept_by_us[] = { "created_at", "updated_at", "createdAt", "updatedAt", NULL };
    for (const char *const *name = owners; *name != NULL; name++) {
        const json_t *owner = json_object_get(data, *name);
        if (owner != NULL && !json_is_null(owner) &&
            (!json_is_string(owner) || !is(json_string_value(owner), edge_auth_user(ctx))))
            edge_fail_with(ctx, 403, "user_mismatch",
                .message = "goalData names another user than the one signed in",
                .field = edge_format(ctx, "goalData.%s", *name));
        json_object_del(data, *name);
    }
    for (const char *const *name = kept_by_us; *name != NULL; name++)
        json_object_del(data, *name);
    const char *named = edge_json_text(data, "id");
    if (json_object_get(data, "id") == NULL || id == NULL || (named != NULL && strcasecmp(named, id) == 0))
        json_object_del(data, "id");
}

static void refuse_unknown(edge_ctx *ctx, json_t *data)
{
    const char *name;
    json_t *value;
    json_object_foreach(data, name, value)
    {
        if (!is_column(name))
            edge_fail_with(ctx, 400, "unknown_column",
                .message = edge_format(ctx, "goalData.%s is no column of a goal", name),
                .field = edge_format(ctx, "goalData.%s", name));
    }
}

/* null clears what a goal can be without; an empty text does so, too. */
static bool is_cleared(const json_t *data, const edge_field *field)
{
    static const char *const clearable[] = { "target_value", "unit", "timeframe", "deadline", NULL };
    const json_t *value = json_object_get(data, field->name);
    if (value == NULL && field->aliases != NULL)
        value = json_object_get(data, field->aliases[0]);
    bool empty = json_is_string(value) && json_string_length(value) == 0 && field->type != EDGE_NUMBER;
    for (const char *const *name = clearable; *name != NULL; name++)
        if (is(*name, field->name))
            return json_is_null(value) || empty;
    return false;
}

/* goalData as columns to write. id: NULL for a goal that is to be made. */
static json_t *checked_data(edge_ctx *ctx, json_t *in, const char *id)
{
    json_t *data = json_object_get(in, "goalData"), *columns = json_object();
    if (data == NULL)
        edge_fail_with(ctx, 400, "invalid_input", .message = "goalData is required", .field = "goalData");
    drop_row_members(ctx, data, id);
    for (const edge_field *field = titled; field->name != NULL; field++)
        if (is_cleared(data, field))
            json_object_set_new(columns, field->name, json_null());
    edge_input_check(
        ctx, "goalData", id == NULL || json_object_get(data, "title") != NULL ? titled : untitled, data);
    refuse_unknown(ctx, data);
    for (const edge_field *field = titled; field->name != NULL; field++)
        if (json_object_get(data, field->name) != NULL)
            json_object_set(columns, field->name, json_object_get(data, field->name));
    return columns;
}

static json_t *answer_with(const edge_rows *goal)
{
    return json_pack("{s:b, s:o}", "success", 1, "goal", edge_row_json(goal, 0));
}

static json_t *insert_goal(edge_ctx *ctx, edge_tx *tx, const json_t *columns)
{
    const char *user = edge_auth_user(ctx);
    edge_rows *goal = edge_tx_query(tx,
        "INSERT INTO goals (user_id, title, goal_type, target_value, current_value, unit, timeframe, deadline, "
        "status,"
        " confidence_score)"
        " SELECT p.id, n.title, coalesce(n.goal_type, 'custom'), n.target_value, coalesce(n.current_value, 0), "
        "n.unit,"
        " n.timeframe, n.deadline, coalesce(n.status, 'active'), 50"
        " FROM profiles AS p, jsonb_populate_record(NULL::goals, $2) AS n"
        " WHERE p.id = $1"
        " RETURNING *",
        edge_text(user), edge_json(columns));
    if (edge_rows_count(goal) == 0)
        edge_fail(ctx, 404, "user_not_found", "User \"%s\" does not exist", user);
    return answer_with(goal);
}

static json_t *create(edge_ctx *ctx, json_t *in)
{
    json_t *columns = checked_data(ctx, in, NULL), *answer = NULL;
    const char *key = idempotency_key(ctx, in);
    EDGE_TRANSACTION(ctx, tx)
    {
        answer = idempotent_replay(ctx, tx, "manageGoal", key, columns);
        if (answer == NULL) {
            answer = insert_goal(ctx, tx, columns);
            idempotent_keep(ctx, tx, "manageGoal", key, answer);
        }
    }
    return answer;
}

EDGE_NORETURN static void fail_not_found(edge_ctx *ctx, const char *id)
{
    edge_fail(ctx, 404, "goal_not_found", "Goal \"%s\" does not exist", id);
}

/*
 * The score follows the merged values in JavaScript's arithmetic, halves up: 23 of 40 is 57.49999999999999 per
 * cent, and rounds to 57.
 */
static json_t *update(edge_ctx *ctx, json_t *in, const char *id)
{
    edge_rows *goal = edge_query(ctx,
        "UPDATE goals AS g"
        " SET (title, goal_type, target_value, current_value, unit, timeframe, deadline, status, "
        "confidence_score) = ("
        "  SELECT n.title, n.goal_type, n.target_value, n.current_value, n.unit, n.timeframe, n.deadline, "
        "n.status,"
        "   CASE WHEN $2 ?| ARRAY['current_value', 'target_value'] AND n.target_value > 0"
        "   THEN least(100, greatest(0, floor(p.cent) + (p.cent - floor(p.cent) >= 0.5)::integer))::integer"
        "   ELSE n.confidence_score END"
        "  FROM jsonb_populate_record(g, $2) AS n"
        "  CROSS JOIN LATERAL ("
        "   SELECT coalesce(n.current_value, 0)::float8 / nullif(n.target_value, 0)::float8 * 100 AS cent) AS "
        "p)"
        " WHERE id = $1"
        " RETURNING *",
        edge_uuid(id), edge_json(checked_data(ctx, in, id)));
    if (edge_rows_count(goal) == 0)
        fail_not_found(ctx, id);
    return answer_with(goal);
}

static json_t *remove_goal(edge_ctx *ctx, const char *id)
{
    edge_rows *deleted = edge_query(ctx, "DELETE FROM goals WHERE id = $1", edge_uuid(id));
    if (edge_rows_affected(deleted) == 0)
        fail_not_found(ctx, id);
    return json_pack("{s:b}", "success", 1);
}

static json_t *manage_goal(edge_ctx *ctx, json_t *in)
{
    const char *operation = edge_json_text(in, "operation"), *id = edge_json_text(in, "goalId");
    if (is(operation, "create"))
        return create(ctx, in);
    if (id == NULL)
        edge_fail_with(ctx, 400, "invalid_input", .message = "goalId is required", .field = "goalId");
    return is(operation, "update") ? update(ctx, in, id) : remove_goal(ctx, id);
}

EDGE_FUNCTION(manageGoal,
    .summary = "Creates, updates or deletes one of the user's goals",
    .input = input,
    .output = output,
    .problems = problems,
    .handle = manage_goal,
    .check = check);
