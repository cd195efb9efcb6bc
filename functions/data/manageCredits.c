/*
 * manageCredits: spends, grants, sets or reads a user's credits.
 *
 * One round trip: a change is one statement of the service (users may not write either credit table), a look is
 * one as the user.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/credits.h"
#include "lib/idempotency.h"

static const edge_field input[] = {
    { "operation", EDGE_TEXT, .required = true,
        .help = "get, deduct, add or set; the last two are an administrator's" },
    { "amount", EDGE_INT, .min = 0, .max = 1000000, .help = "Credits: 1 and more, set also 0; not for get" },
    { "description", EDGE_TEXT, .max = 500, .help = "For the ledger; default \"<operation> operation\"" },
    { "metadata", EDGE_OBJECT, .max = 8192, .fallback = "{}", .help = "Kept in the ledger row" },
    { "userId", EDGE_USER, .help = "Whose credits; required under the service key" },
    { "idempotencyKey", EDGE_TEXT, .help = "Books once; also as header Idempotency-Key" },
    { "limit", EDGE_INT, .min = 1, .max = 100, .fallback = "20", .help = "get: how many ledger rows" },
    { 0 },
};

static const edge_field transaction_fields[] = {
    { "id", EDGE_UUID, .required = true, .help = "The ledger row" },
    { "type", EDGE_TEXT, .required = true, .help = "As deduct, initial_grant" },
    { "amount", EDGE_INT, .required = true, .help = "Negative when spent" },
    { "balanceAfter", EDGE_INT, .required = true, .help = "What was left" },
    { "description", EDGE_TEXT, .help = "What it was for" },
    { "createdAt", EDGE_DATETIME, .help = "When it was booked" },
    { 0 },
};
static const edge_field transaction_item = { .type = EDGE_OBJECT, .fields = transaction_fields };

static const edge_field output[] = {
    { "success", EDGE_BOOL, .required = true, .help = "true" },
    { "balance", EDGE_INT, .help = "get: credits that can be spent" },
    { "creditsUsed", EDGE_INT, .help = "get: spent so far" },
    { "lastResetAt", EDGE_DATETIME, .help = "get: when the counting began" },
    { "transactions", EDGE_ARRAY, .items = &transaction_item, .help = "get: newest first" },
    CREDIT_CHANGE_FIELDS,
    { "transactionId", EDGE_UUID, .help = "Its ledger row; null: the balance stayed the same" },
    { 0 },
};

static const edge_problem problems[] = {
    { 402, "insufficient_credits",
        "The balance is lower than amount; currentBalance and required say by how much" },
    { 403, "admin_required", "add and set are an administrator's or the service's" },
    { 404, "user_not_found", "There is no such profile" },
    { 409, "idempotency_conflict", "The key was used for another booking" },
    { 409, "balance_limit", "A balance is at most 1000000000" },
    { 0 },
};

static bool is(const char *operation, const char *name)
{
    return strcmp(operation, name) == 0;
}

static json_t *check(edge_ctx *ctx, const json_t *in, const edge_field *field, json_t *value)
{
    const char *operation = edge_json_text(in, "operation");
    bool known =
        is(operation, "get") || is(operation, "deduct") || is(operation, "add") || is(operation, "set");
    if (is(field->name, "operation") && !known)
        edge_fail(ctx, 400, "unknown_operation", "Unknown operation: %s", operation);
    if (is(field->name, "amount") && json_integer_value(value) == 0 && !is(operation, "set") &&
        !is(operation, "get"))
        edge_fail_with(ctx, 400, "invalid_input", .message = "amount must be at least 1", .field = "amount");
    return value;
}

static json_t *read_credits(edge_ctx *ctx, const char *user, int64_t limit)
{
    edge_rows *rows[3];
    edge_query_batch(ctx, rows, EDGE_SQL("SELECT id FROM profiles WHERE id = $1", edge_text(user)),
        EDGE_SQL(
            "SELECT coalesce(credits_available, 0) AS balance, coalesce(credits_used, 0) AS used, last_reset_at"
            " FROM user_credits WHERE user_id = $1",
            edge_text(user)),
        EDGE_SQL("SELECT id, transaction_type AS type, amount, balance_after AS \"balanceAfter\", description,"
                 " created_at AS \"createdAt\""
                 " FROM credit_transactions"
                 " WHERE user_id = $1"
                 " ORDER BY created_at DESC, id DESC"
                 " LIMIT $2",
            edge_text(user), edge_int(limit)));

    /* Who has just signed up may have no profile yet, and has no credits; the service has named somebody. */
    if (edge_rows_count(rows[0]) == 0 && edge_auth_caller(ctx) == EDGE_CALLER_SERVICE)
        edge_fail(ctx, 404, "user_not_found", "User \"%s\" does not exist", user);

    bool has_credits = edge_rows_count(rows[1]) > 0;
    return json_pack("{s:b, s:I, s:I, s:o, s:o}", "success", 1, "balance",
        (json_int_t)(has_credits ? edge_rows_int(rows[1], 0, "balance") : 0), "creditsUsed",
        (json_int_t)(has_credits ? edge_rows_int(rows[1], 0, "used") : 0), "lastResetAt",
        has_credits ? edge_rows_value(rows[1], 0, "last_reset_at") : json_null(), "transactions",
        edge_rows_json(rows[2]));
}

static json_t *change_credits(edge_ctx *ctx, json_t *in, const char *user, const char *operation)
{
    const char *description = edge_json_text(in, "description");
    struct credit_booking booking = {
        .user = user,
        .operation = operation,
        .amount = edge_json_int(in, "amount", 0),
        .description = description != NULL ? description : edge_format(ctx, "%s operation", operation),
        .metadata = json_object_get(in, "metadata"),
        .key = idempotency_key(ctx, in),
    };
    if (json_object_get(in, "amount") == NULL)
        edge_fail_with(ctx, 400, "invalid_input", .message = "amount is required", .field = "amount");
    if (!is(operation, "deduct") && edge_auth_caller(ctx) != EDGE_CALLER_SERVICE)
        edge_require_role(ctx, "admin");

    const struct credit_change *change = credits_book(ctx, &booking);
    credits_require(ctx, &booking, change);
    return json_pack("{s:b, s:I, s:I, s:I, s:s?, s:b}", "success", 1, "previousBalance",
        (json_int_t)change->previous_balance, "newBalance", (json_int_t)change->new_balance, "amountChanged",
        (json_int_t)change->amount_changed, "transactionId", change->transaction_id, "replayed",
        change->replayed);
}

static json_t *manage_credits(edge_ctx *ctx, json_t *in)
{
    const char *user = edge_auth_user(ctx), *operation = edge_json_text(in, "operation");
    if (is(operation, "get"))
        return read_credits(ctx, user, edge_json_int(in, "limit", 20));
    return change_credits(ctx, in, user, operation);
}

EDGE_FUNCTION(manageCredits,
    .summary = "Spends, grants, sets or reads a user's credits",
    .input = input,
    .output = output,
    .problems = problems,
    .handle = manage_credits,
    .check = check);
