/*
 * adminOperations: the administrators' console: users, credits, subscriptions, repair of an agent's
 * configuration. One round trip an operation, two for an adjustment; the list of subscriptions asks for the
 * users at the same time.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/admin_users.h"
#include "lib/column.h"
#include "lib/credits.h"
#include "lib/idempotency.h"

#define TARGET(needed)                                                                                         \
    {                                                                                                          \
        "userId", EDGE_TEXT, .min = 1, .max = 255, .required = (needed)                                        \
    }
#define PAGE                                                                                                   \
    { "limit", EDGE_INT, .min = 1, .max = 1000, .fallback = "1000" },                                          \
    {                                                                                                          \
        "offset", EDGE_INT, .min = 0, .max = 9007199254740991, .fallback = "0"                                 \
    }

static const char *const phone_pattern[] = { "\\+[1-9][0-9]{6,14}", NULL };

static const edge_field users_fields[] = { { "search", EDGE_TEXT, .max = 200 }, PAGE, { 0 } };
static const edge_field credits_fields[] = { TARGET(false), { 0 } };
static const edge_field adjust_fields[] = {
    TARGET(true),
    { "adjustment", EDGE_INT, .min = -1000000, .max = 1000000, .required = true },
    { "description", EDGE_TEXT, .max = 500, .fallback = "Manual adjustment by admin" },
    { "idempotencyKey", EDGE_TEXT },
    { 0 },
};
static const edge_field subscriptions_fields[] = { TARGET(false), PAGE, { 0 } };
static const edge_field subscription_fields[] = {
    TARGET(true),
    { "subscriptionData", EDGE_OBJECT, .required = true },
    { 0 },
};
static const edge_field repair_fields[] = {
    { "userEmail", EDGE_TEXT, .min = 1, .max = 320, .required = true },
    { "twilioPhoneNumber", EDGE_PATTERN, .values = phone_pattern, .required = true },
    { "elevenLabsTwilioNumberId", EDGE_TEXT, .min = 1, .max = 255, .required = true },
    { 0 },
};

static const edge_field input[] = {
    { "operation", EDGE_TEXT, .required = true,
        .help = "getAllUsers, getUserCredits, adjustCredits, getUserSubscriptions, updateUserSubscription or "
                "repairAgentConfig" },
    { "params", EDGE_OBJECT, .fallback = "{}",
        .help = "The operation's parameters, which may as well stand beside it" },
    { 0 },
};

static const edge_field credits_item = { .type = EDGE_OBJECT,
    .fields = (const edge_field[]){
        { "userId", EDGE_TEXT, .required = true, .help = "Whose they are" },
        { "creditsRemaining", EDGE_INT, .required = true, .help = "Balance" },
        { "creditsUsed", EDGE_INT, .required = true, .help = "Spent so far" },
        { "resetDate", EDGE_DATETIME, .help = "When the counting began" },
        { 0 },
    } };
static const edge_field subscription_item = { .type = EDGE_OBJECT,
    .fields = (const edge_field[]){
        ADMIN_SUBSCRIPTION_FIELDS,
        { "created_date", EDGE_DATETIME, .help = "When it was made" },
        { 0 },
    } };
static const edge_field repair_output[] = {
    { "userId", EDGE_TEXT, .required = true, .help = "Whose configuration" },
    { "agentConfigId", EDGE_UUID, .required = true, .help = "Its row" },
    { "created", EDGE_BOOL, .required = true, .help = "Whether it was missing" },
    { 0 },
};

static const edge_field output[] = {
    { "success", EDGE_BOOL, .required = true, .help = "true" },
    { "data", EDGE_JSON, .help = "Rows that were read or written; repairAgentConfig: none" },
    { "users", EDGE_ARRAY, .items = &admin_user_item,
        .help = "getAllUsers, getUserSubscriptions: newest first" },
    { "total", EDGE_INT, .help = "getAllUsers: how many there are without paging" },
    { "limit", EDGE_INT, .help = "getAllUsers: as asked for" },
    { "offset", EDGE_INT, .help = "getAllUsers: as asked for" },
    { "credits", EDGE_ARRAY, .items = &credits_item, .help = "getUserCredits: by user" },
    { "subscriptions", EDGE_ARRAY, .items = &subscription_item, .help = "getUserSubscriptions: newest first" },
    CREDIT_CHANGE_FIELDS,
    { "message", EDGE_TEXT, .help = "repairAgentConfig: a sentence about it" },
    { "details", EDGE_OBJECT, .fields = repair_output, .help = "repairAgentConfig: what was repaired" },
    { 0 },
};

static const edge_problem problems[] = {
    { 400, "unknown_operation", "operation is none of those" },
    { 400, "unknown_column", "subscriptionData has a member that is no column; field names it" },
    { 403, "column_not_writable", "subscriptionData names a column that is not an administrator's to write" },
    { 404, "user_not_found", "There is no such user" },
    { 409, "idempotency_conflict", "The key was used for another adjustment" },
    { 409, "balance_limit", "A balance is at most 1000000000" },
    { 0 },
};

static bool is(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

static json_t *get_all_users(edge_ctx *ctx, json_t *in)
{
    int64_t limit = edge_json_int(in, "limit", 0), offset = edge_json_int(in, "offset", 0);
    struct admin_users users =
        admin_users_read(ctx, &(struct admin_user_filter){
                                  .search = edge_json_text(in, "search"), .limit = limit, .offset = offset });
    return json_pack("{s:b, s:O, s:o, s:I, s:I, s:I}", "success", 1, "users", users.list, "data", users.list,
        "total", (json_int_t)users.total, "limit", (json_int_t)limit, "offset", (json_int_t)offset);
}

static json_t *get_user_credits(edge_ctx *ctx, json_t *in)
{
    const char *user = edge_json_text(in, "userId");
    edge_rows *rows = edge_service_query(ctx,
        "SELECT *, user_id AS \"userId\" FROM user_credits"
        " WHERE $1 IS NULL OR user_id = $1"
        " ORDER BY user_id LIMIT 1000",
        edge_text(user));
    json_t *data = edge_rows_json(rows), *credits = json_array(), *row;
    size_t i;
    json_array_foreach(data, i, row)
    {
        json_int_t left = edge_json_int(row, "credits_available", 0),
                   used = edge_json_int(row, "credits_used", 0);
        json_array_append_new(credits,
            json_pack("{s:O, s:I, s:I, s:O}", "userId", json_object_get(row, "user_id"), "creditsRemaining",
                left, "creditsUsed", used, "resetDate", json_object_get(row, "last_reset_at")));
    }

    json_t *one = json_array_size(data) > 0 ? json_array_get(data, 0) : json_null();
    return json_pack("{s:b, s:O, s:o}", "success", 1, "data", user != NULL ? one : data, "credits", credits);
}

static json_t *adjust_credits(edge_ctx *ctx, json_t *in)
{
    struct credit_booking booking = {
        .user = edge_json_text(in, "userId"),
        .operation = "adjust",
        .amount = edge_json_int(in, "adjustment", 0),
        .description = edge_json_text(in, "description"),
        .metadata = json_pack("{s:s}", "admin_id", edge_auth_user(ctx)),
        .key = idempotency_key(ctx, in),
    };
    if (booking.amount == 0)
        edge_fail_with(ctx, 400, "invalid_input", .message = "adjustment must not be 0", .field = "adjustment");
    const struct credit_change *change = NULL;
    json_t *row = NULL;
    EDGE_TRANSACTION(ctx, tx, .service = true)
    {
        change = credits_book_in(ctx, tx, &booking);
        credits_require(ctx, &booking, change);
        row = edge_row_json(
            edge_tx_query(tx, "SELECT * FROM user_credits WHERE user_id = $1", edge_text(booking.user)), 0);
    }
    return json_pack("{s:b, s:o, s:I, s:I, s:I, s:b}", "success", 1, "data", row, "previousBalance",
        (json_int_t)change->previous_balance, "newBalance", (json_int_t)change->new_balance, "amountChanged",
        (json_int_t)change->amount_changed, "replayed", change->replayed);
}

static void *read_users(edge_ctx *ctx, void *arg)
{
    (void)arg;
    return admin_users_read(ctx, &(struct admin_user_filter){ 0 }).list;
}

static json_t *get_user_subscriptions(edge_ctx *ctx, json_t *in)
{
    edge_task *users = edge_spawn(ctx, read_users, NULL);
    edge_rows *rows = edge_service_query(ctx,
        "SELECT to_json(s) AS row, " ADMIN_SUBSCRIPTION(
            "s", ", 'created_date', s.created_at") " AS subscription"
                                                   " FROM user_agent_subscriptions AS s"
                                                   " WHERE $1 IS NULL OR s.user_id = $1"
                                                   " ORDER BY s.created_at DESC, s.id DESC LIMIT $2 OFFSET $3",
        edge_text(edge_json_text(in, "userId")), edge_int(edge_json_int(in, "limit", 0)),
        edge_int(edge_json_int(in, "offset", 0)));

    json_t *data = json_array(), *subscriptions = json_array();
    for (size_t i = 0; i < edge_rows_count(rows); i++) {
        json_array_append_new(data, edge_rows_value(rows, i, "row"));
        json_array_append_new(subscriptions, edge_rows_value(rows, i, "subscription"));
    }
    return json_pack("{s:b, s:o, s:o, s:o}", "success", 1, "data", data, "subscriptions", subscriptions,
        "users", edge_await(ctx, users));
}

/* One name for both spellings: billingCycleStart is billing_cycle_start. */
static const char *snake_case(edge_ctx *ctx, const char *name)
{
    char *snake = edge_alloc(ctx, 2 * strlen(name) + 1), *end = snake;
    for (; *name != '\0'; name++) {
        bool upper = *name >= 'A' && *name <= 'Z';
        if (upper)
            *end++ = '_';
        *end++ = (char)(upper ? *name - 'A' + 'a' : *name);
    }
    return snake;
}

static bool is_kept_by_us(const char *name)
{
    static const char *const names[] = { "id", "created_at", "updated_at", "created_date", "updated_date",
        NULL };
    for (const char *const *one = names; *one != NULL; one++)
        if (is(*one, name))
            return true;
    return false;
}

/* subscriptionData as columns to write, by the rules that the entity has everywhere. */
static json_t *subscription_columns(edge_ctx *ctx, json_t *given)
{
    const struct entity *entity = entity_find("user_agent_subscriptions");
    json_t *columns = json_object(), *value;
    const char *name;
    json_object_foreach(given, name, value)
    {
        const char *field = edge_format(ctx, "subscriptionData.%s", name), *snake = snake_case(ctx, name);
        const struct entity_column *column = entity_column_named(entity, snake, true);
        struct column_value bound;
        if (is_kept_by_us(snake))
            continue;
        if (column == NULL)
            edge_fail_with(ctx, 400, "unknown_column", .field = field,
                .message = edge_format(ctx, "%s is no column of a subscription", field));
        if ((column->flags & COLUMN_WRITABLE) == 0)
            edge_fail_with(ctx, 403, "column_not_writable", .field = field,
                .message = edge_format(ctx, "%s cannot be written", field));
        const char *wrong = column_value(ctx, column, value, COLUMN_TO_WRITE, &bound);
        if (wrong != NULL)
            edge_fail_with(
                ctx, 400, "invalid_input", .field = field, .message = edge_format(ctx, "%s %s", field, wrong));
        if (is(snake, column->name) || json_object_get(columns, column->name) == NULL)
            json_object_set(columns, column->name, value);
    }
    if (json_object_size(columns) == 0)
        edge_fail_with(ctx, 400, "invalid_input", .field = "subscriptionData",
            .message = "subscriptionData must name at least one column");
    return columns;
}

/* Made with the defaults where there is none, then changed in what was given. */
static json_t *update_user_subscription(edge_ctx *ctx, json_t *in)
{
    const char *user = edge_json_text(in, "userId");
    json_t *columns = subscription_columns(ctx, json_object_get(in, "subscriptionData"));
    const char *named = edge_json_text(columns, "agent_type"), *agent_type = named != NULL ? named : "core";
    edge_rows *rows[2];
    edge_service_query_batch(ctx, rows,
        EDGE_SQL("INSERT INTO user_agent_subscriptions (user_id, agent_type)"
                 " SELECT id, $2 FROM profiles WHERE id = $1"
                 " ON CONFLICT (user_id, agent_type) DO NOTHING",
            edge_text(user), edge_text(agent_type)),
        EDGE_SQL("UPDATE user_agent_subscriptions AS s"
                 " SET (subscription_tier, is_active, expires_at, minutes_allocated, current_minutes_used, "
                 "overage_rate,"
                 "  plan_type, billing_cycle_start, billing_cycle_end, source_platform, status) = ("
                 "  SELECT n.subscription_tier, n.is_active, n.expires_at, n.minutes_allocated, "
                 "n.current_minutes_used,"
                 "   n.overage_rate, n.plan_type, n.billing_cycle_start, n.billing_cycle_end, "
                 "n.source_platform, n.status"
                 "  FROM jsonb_populate_record(s, $3) AS n)"
                 " WHERE user_id = $1 AND agent_type = $2"
                 " RETURNING *",
            edge_text(user), edge_text(agent_type), edge_json(columns)));
    if (edge_rows_count(rows[1]) == 0)
        edge_fail(ctx, 404, "user_not_found", "User \"%s\" does not exist", user);
    return json_pack("{s:b, s:o}", "success", 1, "data", edge_row_json(rows[1], 0));
}

EDGE_NORETURN static void fail_repair(edge_ctx *ctx, const char *email)
{
    const char *message = edge_format(ctx, "User \"%s\" does not exist", email);
    edge_fail_with(ctx, 404, "user_not_found", .message = message,
        .extra = json_pack("{s:b, s:s}", "success", 0, "message", message));
}

/* xmax is 0 in a row that the statement has inserted. */
static json_t *repair_agent_config(edge_ctx *ctx, json_t *in)
{
    const char *email = edge_json_text(in, "userEmail"),
               *number = edge_json_text(in, "elevenLabsTwilioNumberId");
    json_t *settings = json_pack("{s:s, s:s}", "twilio_phone_number", edge_json_text(in, "twilioPhoneNumber"),
        "eleven_labs_twilio_number_id", number);
    edge_rows *config = edge_service_query(ctx,
        "INSERT INTO agent_config AS c (user_id, agent_type, enabled, settings, eleven_labs_phone_number_id)"
        " SELECT p.id, 'executive_assistant', true, $2, $3"
        " FROM (SELECT id FROM profiles WHERE lower(email) = lower($1) ORDER BY created_at, id LIMIT 1) AS p"
        " ON CONFLICT (user_id, agent_type) DO UPDATE"
        " SET enabled = true, settings = c.settings || EXCLUDED.settings,"
        " eleven_labs_phone_number_id = EXCLUDED.eleven_labs_phone_number_id"
        " RETURNING user_id, id, xmax = 0 AS created",
        edge_text(email), edge_json(settings), edge_text(number));
    if (edge_rows_count(config) == 0)
        fail_repair(ctx, email);
    return json_pack("{s:b, s:s, s:{s:s, s:s, s:b}}", "success", 1, "message", "Agent configuration repaired",
        "details", "userId", edge_rows_text(config, 0, "user_id"), "agentConfigId",
        edge_rows_text(config, 0, "id"), "created", edge_rows_bool(config, 0, "created"));
}

static const struct operation {
    const char *name;
    const edge_field *fields;
    json_t *(*run)(edge_ctx *ctx, json_t *in);
} operations[] = {
    { "getAllUsers", users_fields, get_all_users },
    { "getUserCredits", credits_fields, get_user_credits },
    { "adjustCredits", adjust_fields, adjust_credits },
    { "getUserSubscriptions", subscriptions_fields, get_user_subscriptions },
    { "updateUserSubscription", subscription_fields, update_user_subscription },
    { "repairAgentConfig", repair_fields, repair_agent_config },
};

static json_t *admin_operations(edge_ctx *ctx, json_t *in)
{
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
        if (!is(operations[i].name, edge_json_text(in, "operation")))
            continue;
        json_t *parameters = json_copy(in);
        json_object_update(parameters, json_object_get(in, "params"));
        edge_input_check(ctx, "", operations[i].fields, parameters);
        return operations[i].run(ctx, parameters);
    }
    edge_fail(ctx, 400, "unknown_operation", "Unknown operation");
}

EDGE_FUNCTION(adminOperations,
    .summary = "Administrators' console: users, credits, subscriptions, repair of an agent's configuration",
    .input = input,
    .output = output,
    .problems = problems,
    .handle = admin_operations);
