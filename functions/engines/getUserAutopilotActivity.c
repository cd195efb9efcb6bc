/*
 * getUserAutopilotActivity: what the AI agents did for the user, for the autopilot monitor: a page of actions,
 * the latest conversations and calls, and totals of the whole window.
 *
 * One round trip.
 */
#include <edge/edge.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/field.h"

#define HOUR_US ((int64_t)3600 * 1000000)

enum {
    DAYS_MAX = 365,
    HOURS_MAX = 8760,
};

static const edge_shape shape = { .success_false = true };

static const edge_field input[] = {
    { "userId", EDGE_USER, .help = "The caller's own id, or absent" },
    { "timeRange", EDGE_JSON, .fallback = "7d", .help = "\"<n>d\", \"<n>h\" or a number of days" },
    { "limit", EDGE_INT, .min = 1, .max = 500, .fallback = "100", .help = "Most actions to answer" },
    { "cursor", EDGE_TEXT, .help = "nextCursor of an earlier answer" },
    { 0 },
};

static const char *const statuses[] = { "pending", "success", "failed", NULL };
static const edge_field count_item = { .type = EDGE_INT };

static const edge_field summary_fields[] = {
    { "totalActions", EDGE_INT, .required = true },
    { "actionsByType", EDGE_MAP, .items = &count_item, .required = true, .help = "By action_type" },
    { "totalConversations", EDGE_INT, .required = true },
    { "conversationsByAgent", EDGE_MAP, .items = &count_item, .required = true, .help = "By agent_type" },
    { "totalCalls", EDGE_INT, .required = true },
    { "callsByType", EDGE_MAP, .items = &count_item, .required = true, .help = "By call_type" },
    { 0 },
};

static const edge_field action_fields[] = {
    { "id", EDGE_UUID, .required = true },
    { "user_id", EDGE_TEXT, .required = true },
    { "action_type", EDGE_TEXT, .required = true },
    { "action_data", EDGE_JSON, .help = "What it was about" },
    { "status", EDGE_ENUM, .values = statuses, .required = true },
    { "resource_url", EDGE_TEXT, .help = "What it made" },
    { "error_message", EDGE_TEXT },
    { "executed_at", EDGE_DATETIME, .required = true },
    { "created_at", EDGE_DATETIME, .required = true },
    { 0 },
};
static const edge_field action_item = { .type = EDGE_OBJECT, .fields = action_fields };

static const edge_field conversation_fields[] = {
    { "id", EDGE_UUID, .required = true },
    { "agent_type", EDGE_TEXT, .required = true },
    { "created_at", EDGE_DATETIME },
    { "updated_at", EDGE_DATETIME },
    { 0 },
};
static const edge_field conversation_item = { .type = EDGE_OBJECT, .fields = conversation_fields };

static const edge_field call_fields[] = {
    { "id", EDGE_UUID, .required = true },
    { "user_id", EDGE_TEXT, .required = true },
    { "call_type", EDGE_TEXT, .required = true },
    { "contact_name", EDGE_TEXT },
    { "phone_number", EDGE_TEXT },
    { "duration_seconds", EDGE_INT },
    { "status", EDGE_TEXT },
    { "notes", EDGE_TEXT },
    { "recording_url", EDGE_TEXT, .help = "For getSignedAudioUrl" },
    { "metadata", EDGE_JSON },
    { "created_at", EDGE_DATETIME },
    { "conversation_id", EDGE_TEXT, .help = "At the voice provider" },
    { "call_sid", EDGE_TEXT, .help = "At the telephone company" },
    { "ended_at", EDGE_DATETIME },
    { "transcript", EDGE_JSON },
    { "analysis", EDGE_JSON },
    { "form_data", EDGE_JSON },
    { 0 },
};
static const edge_field call_item = { .type = EDGE_OBJECT, .fields = call_fields };

static const edge_field activities_fields[] = {
    { "actions", EDGE_ARRAY, .items = &action_item, .required = true, .help = "A page, latest first" },
    { "conversations", EDGE_ARRAY, .items = &conversation_item, .required = true, .help = "The latest 50" },
    { "calls", EDGE_ARRAY, .items = &call_item, .required = true, .help = "The latest 50" },
    { 0 },
};

static const edge_field feed_fields[] = {
    { "id", EDGE_UUID, .required = true },
    { "status", EDGE_ENUM, .values = statuses, .required = true },
    { "actionType", EDGE_TEXT, .required = true },
    { "agentType", EDGE_TEXT, .help = "Which agent did it, as far as action_data tells" },
    { "userId", EDGE_TEXT, .required = true },
    { "userEmail", EDGE_TEXT },
    { "actionDetails", EDGE_TEXT, .required = true, .help = "action_data as JSON text" },
    { "errorMessage", EDGE_TEXT },
    { "resourceUrl", EDGE_TEXT, .help = "What it made" },
    { "created_date", EDGE_DATETIME, .required = true, .help = "executed_at" },
    { 0 },
};
static const edge_field feed_item = { .type = EDGE_OBJECT, .fields = feed_fields };

static const edge_field output[] = {
    { "success", EDGE_BOOL, .required = true, .help = "true" },
    { "timeRange", EDGE_JSON, .required = true, .help = "As sent, or 7d" },
    { "summary", EDGE_OBJECT, .fields = summary_fields, .required = true, .help = "Of the whole window" },
    { "activities", EDGE_OBJECT, .fields = activities_fields, .required = true, .help = "What was done" },
    { "feed", EDGE_ARRAY, .items = &feed_item, .required = true, .help = "The page's actions for the monitor" },
    { "nextCursor", EDGE_TEXT, .help = "cursor of the next page; null: this is the last" },
    { 0 },
};

/* Where an earlier page ended. */
struct cursor {
    int64_t executed_at;
    const char *id; /* NULL: the first page */
};

enum read {
    ACTIONS,
    CONVERSATIONS,
    CALLS,
    ACTION_COUNTS,
    CONVERSATION_COUNTS,
    CALL_COUNTS,
    PROFILE,
    READ_COUNT,
};

/* Hours of a time range, 0 when it is none. */
static int64_t range_hours(const json_t *range)
{
    if (json_is_number(range)) {
        double days = json_number_value(range);
        bool whole = days >= 1 && days <= DAYS_MAX && days == (double)(int64_t)days;
        return whole ? (int64_t)days * 24 : 0;
    }
    const char *text = json_is_string(range) ? json_string_value(range) : "";
    size_t digits = strspn(text, FIELD_DIGITS);
    if (digits == 0 || digits > 4 || text[digits] == '\0' || text[digits + 1] != '\0')
        return 0;
    int64_t number = atoll(text);
    if (text[digits] == 'd')
        return number <= DAYS_MAX ? number * 24 : 0;
    return text[digits] == 'h' && number <= HOURS_MAX ? number : 0;
}

/* base64url of "<microseconds>/<id>": nothing that a client should build on. */
static const char *encode_cursor(edge_ctx *ctx, const edge_rows *rows, size_t row)
{
    const char *text = edge_format(
        ctx, "%lld/%s", (long long)edge_rows_time(rows, row, "executed_at"), edge_rows_text(rows, row, "id"));
    return edge_base64url(ctx, text, strlen(text));
}

static bool decode_cursor(edge_ctx *ctx, const char *encoded, struct cursor *cursor)
{
    size_t length = 0;
    const char *bytes = (const char *)edge_base64url_decode(ctx, encoded, &length);
    const char *text = bytes != NULL ? edge_copy_bytes(ctx, bytes, length) : "";
    const char *slash = strchr(text, '/');
    size_t digits = strspn(text, FIELD_DIGITS);
    if (slash == NULL || digits == 0 || digits > 16 || text + digits != slash || strlen(slash + 1) != 36 ||
        strspn(slash + 1, FIELD_DIGITS "abcdef-") != 36)
        return false;
    *cursor = (struct cursor){ atoll(text), slash + 1 };
    return true;
}

static json_t *check(edge_ctx *ctx, const json_t *in, const edge_field *field, json_t *value)
{
    (void)in;
    struct cursor cursor;
    if (field_is(field, "timeRange") && range_hours(value) == 0)
        field_fail(ctx, "timeRange", "must be \"<n>d\" (1 to 365), \"<n>h\" (1 to 8760) or a number of days");
    if (field_is(field, "cursor") && !decode_cursor(ctx, json_string_value(value), &cursor))
        field_fail(ctx, "cursor", "must be nextCursor of an earlier answer");
    return value;
}

static void read_activity(
    edge_ctx *ctx, edge_rows *rows[READ_COUNT], int64_t start, const struct cursor *after, int64_t limit)
{
    const edge_arg from = edge_time(start);
    edge_query_batch(ctx, rows,
        EDGE_SQL("SELECT * FROM ai_actions_log"
                 " WHERE executed_at >= $1 AND ($2::uuid IS NULL OR (executed_at, id) < ($3, $2))"
                 " ORDER BY executed_at DESC, id DESC"
                 " LIMIT $4",
            from, edge_uuid(after->id), edge_time(after->executed_at), edge_int(limit)),
        EDGE_SQL("SELECT id, agent_type, created_at, updated_at FROM ai_agent_conversations"
                 " WHERE created_at >= $1 ORDER BY created_at DESC, id DESC LIMIT 50",
            from),
        EDGE_SQL(
            "SELECT * FROM call_logs WHERE created_at >= $1 ORDER BY created_at DESC, id DESC LIMIT 50", from),
        EDGE_SQL("SELECT action_type AS type, count(*) AS count FROM ai_actions_log"
                 " WHERE executed_at >= $1 GROUP BY action_type ORDER BY action_type",
            from),
        EDGE_SQL("SELECT agent_type AS type, count(*) AS count FROM ai_agent_conversations"
                 " WHERE created_at >= $1 GROUP BY agent_type ORDER BY agent_type",
            from),
        EDGE_SQL("SELECT call_type AS type, count(*) AS count FROM call_logs"
                 " WHERE created_at >= $1 GROUP BY call_type ORDER BY call_type",
            from),
        EDGE_SQL("SELECT email FROM profiles"));
}

static void add_counts(
    json_t *summary, const edge_rows *counts, const char *total_name, const char *by_type_name)
{
    json_t *by_type = json_object();
    json_int_t total = 0;
    for (size_t i = 0; i < edge_rows_count(counts); i++) {
        json_int_t count = edge_rows_int(counts, i, "count");
        json_object_set_new(by_type, edge_rows_text(counts, i, "type"), json_integer(count));
        total += count;
    }
    json_object_set_new(summary, total_name, json_integer(total));
    json_object_set_new(summary, by_type_name, by_type);
}

static const char *agent_type_of(json_t *data)
{
    const char *type = edge_json_text(data, "agent_type");
    return type != NULL ? type : edge_json_text(data, "agentType");
}

/* The actions again, under the names by which the monitor's panel shows them. */
static json_t *feed_of(edge_ctx *ctx, json_t *actions, const char *email)
{
    json_t *feed = json_array(), *action;
    size_t i;
    json_array_foreach(actions, i, action)
    {
        json_t *data = json_object_get(action, "action_data");
        json_array_append_new(
            feed, json_pack("{s:O, s:O, s:O, s:s?, s:O, s:s?, s:s, s:O, s:O, s:O}", "id",
                      json_object_get(action, "id"), "status", json_object_get(action, "status"), "actionType",
                      json_object_get(action, "action_type"), "agentType", agent_type_of(data), "userId",
                      json_object_get(action, "user_id"), "userEmail", email, "actionDetails",
                      edge_json_dump(ctx, data, NULL), "errorMessage", json_object_get(action, "error_message"),
                      "resourceUrl", json_object_get(action, "resource_url"), "created_date",
                      json_object_get(action, "executed_at")));
    }
    return feed;
}

static json_t *get_user_autopilot_activity(edge_ctx *ctx, json_t *in)
{
    json_t *range = json_object_get(in, "timeRange");
    int64_t limit = edge_json_int(in, "limit", 100);
    int64_t start = edge_now(ctx) / 1000 * 1000 - range_hours(range) * HOUR_US;
    struct cursor after = { 0 };
    if (edge_json_text(in, "cursor") != NULL)
        decode_cursor(ctx, edge_json_text(in, "cursor"), &after);

    edge_rows *rows[READ_COUNT];
    read_activity(ctx, rows, start, &after, limit);

    json_t *summary = json_object();
    add_counts(summary, rows[ACTION_COUNTS], "totalActions", "actionsByType");
    add_counts(summary, rows[CONVERSATION_COUNTS], "totalConversations", "conversationsByAgent");
    add_counts(summary, rows[CALL_COUNTS], "totalCalls", "callsByType");

    json_t *actions = edge_rows_json(rows[ACTIONS]);
    size_t count = edge_rows_count(rows[ACTIONS]);
    const char *email = edge_rows_count(rows[PROFILE]) > 0 ? edge_rows_text(rows[PROFILE], 0, "email") : NULL;
    const char *next = (int64_t)count == limit ? encode_cursor(ctx, rows[ACTIONS], count - 1) : NULL;

    return json_pack("{s:b, s:O, s:o, s:{s:O, s:o, s:o}, s:o, s:s?}", "success", 1, "timeRange", range,
        "summary", summary, "activities", "actions", actions, "conversations",
        edge_rows_json(rows[CONVERSATIONS]), "calls", edge_rows_json(rows[CALLS]), "feed",
        feed_of(ctx, actions, email), "nextCursor", next);
}

EDGE_FUNCTION(getUserAutopilotActivity,
    .summary = "What the AI agents did for the user",
    .input = input,
    .output = output,
    .handle = get_user_autopilot_activity,
    .shape = &shape,
    .check = check);
