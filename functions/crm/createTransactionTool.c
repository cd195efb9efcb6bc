/*
 * createTransactionTool: adds a deal to the user's own transaction list, once for each idempotency key, and
 * says when it looks like one that is there already.
 *
 * One transaction as the user: two round trips, and one more with a key.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/crm.h"
#include "lib/deals.h"
#include "lib/idempotency.h"

static const edge_field input[] = {
    { "propertyAddress", EDGE_TEXT, .min = 1, .max = 300, .required = true, .help = "Address of the property" },
    { "transactionType", EDGE_TEXT, .required = true,
        .help = "buyer, seller, dual, lease or listing, in any case" },
    { "clientName", EDGE_TEXT, .min = 1, .max = 200, .required = true, .help = "Whose deal it is" },
    { "expectedCloseDate", EDGE_DATE, .help = "Day on which it is to close" },
    { "commissionAmount", EDGE_NUMBER, .min = 0, .max = DEAL_COMMISSION_MAX,
        .help = "In dollars; cents are rounded" },
    { "notes", EDGE_TEXT, .min = 0, .max = DEAL_NOTE_MAX, .help = "Anything else" },
    { "idempotencyKey", EDGE_TEXT, .help = "A repeated call with it adds nothing" },
    { "userId", EDGE_USER, .help = "Whose list; required under the service key" },
    { 0 },
};

static const edge_field data_fields[] = {
    { "transactionId", EDGE_UUID, .required = true, .help = "The new deal" },
    { "propertyAddress", EDGE_TEXT, .required = true, .help = "Where the property is" },
    { "status", EDGE_TEXT, .required = true, .help = "How far it is" },
    { "possibleDuplicateId", EDGE_UUID, .help = "An open deal about the same property" },
    { "transaction", EDGE_OBJECT, .fields = deal_fields, .required = true, .help = "All of it" },
    TOOL_MESSAGE_FIELD,
    TOOL_REPLAYED_FIELD,
    { 0 },
};
static const edge_field output[] = TOOL_OUTPUT(data_fields);

static json_t *check(edge_ctx *ctx, const json_t *in, const edge_field *field, json_t *value)
{
    (void)in;
    return strcmp(field->name, "transactionType") == 0 ? crm_choice(ctx, field, value, deal_types) : value;
}

struct deal {
    const char *address, *type, *client, *close_date, *notes, *key;
    const json_t *commission;
};

/* The deal that was made under this key before. The lock makes the second of two calls at once see the first
 * one's. */
static edge_rows *find_made(edge_tx *tx, const char *user, const char *key)
{
    edge_tx_send(tx,
        "SELECT pg_advisory_xact_lock(hashtextextended('createTransaction:' || $1 || '/' || $2, 0))",
        edge_text(user), edge_text(key));
    return edge_tx_query(tx,
        "SELECT " DEAL_COLUMNS " FROM transactions"
        " WHERE user_id = $1 AND metadata ? 'idempotency_key' AND metadata ->> 'idempotency_key' = $2",
        edge_text(user), edge_text(key));
}

/* Its row has "possibleDuplicateId" beside the columns: the newest open deal at the same address, from before.
 */
static edge_rows *add(edge_tx *tx, edge_ctx *ctx, const char *user, const struct deal *deal)
{
    json_t *metadata = json_pack("{s:s, s:s, s:s*}", "created_by", "vega_agent", "created_at",
        edge_iso_time(ctx, edge_now(ctx)), "idempotency_key", deal->key);

    return edge_tx_query(tx,
        "WITH duplicate AS ("
        " SELECT id FROM transactions"
        " WHERE user_id = $1 AND lower(btrim(property_address)) = lower(btrim($2))"
        " AND status NOT IN ('closed', 'cancelled')"
        " ORDER BY created_at DESC, id DESC LIMIT 1"
        "), added AS ("
        " INSERT INTO transactions (user_id, property_address, transaction_type, client_name, "
        "expected_close_date,"
        " commission_amount, notes, status, metadata)"
        " VALUES ($1, $2, $3, $4, $5, round($6, 2), $7, 'pending', $8)"
        " RETURNING *)"
        " SELECT " DEAL_COLUMNS ", (SELECT id FROM duplicate) AS \"possibleDuplicateId\" FROM added",
        edge_text(user), edge_text(deal->address), edge_text(deal->type), edge_text(deal->client),
        edge_date(deal->close_date),
        deal->commission != NULL ? edge_number(json_number_value(deal->commission)) : edge_decimal(NULL),
        edge_text(deal->notes), edge_json(metadata));
}

/* The deal's row; *replayed when it is an earlier call's. */
static json_t *keep(edge_ctx *ctx, const struct deal *deal, bool *replayed)
{
    const char *user = edge_auth_user(ctx);
    json_t *row = NULL;
    EDGE_TRANSACTION(ctx, tx)
    {
        crm_require_profile(ctx, edge_tx_query(tx, CRM_PROFILE_SQL, edge_text(user)));
        edge_rows *made = deal->key != NULL ? find_made(tx, user, deal->key) : NULL;
        *replayed = made != NULL && edge_rows_count(made) > 0;
        row = edge_row_json(*replayed ? made : add(tx, ctx, user, deal), 0);
    }
    return row;
}

static json_t *create_transaction(edge_ctx *ctx, json_t *in)
{
    struct deal deal = {
        .address = edge_json_text(in, "propertyAddress"),
        .type = edge_json_text(in, "transactionType"),
        .client = edge_json_text(in, "clientName"),
        .close_date = edge_json_text(in, "expectedCloseDate"),
        .notes = edge_json_text(in, "notes"),
        .commission = json_object_get(in, "commissionAmount"),
        .key = idempotency_key(ctx, in),
    };
    bool replayed = false;
    json_t *row = keep(ctx, &deal, &replayed);
    json_t *duplicate = json_incref(json_object_get(row, "possibleDuplicateId"));
    json_object_del(row, "possibleDuplicateId");

    json_t *data = json_pack("{s:O, s:O, s:O, s:o?, s:O}", "transactionId", json_object_get(row, "id"),
        "propertyAddress", json_object_get(row, "propertyAddress"), "status", json_object_get(row, "status"),
        "possibleDuplicateId", duplicate, "transaction", row);
    if (replayed)
        json_object_set_new(data, "replayed", json_true());
    return crm_answer(data, "Transaction created successfully");
}

EDGE_FUNCTION(createTransactionTool,
    .summary = "Adds a deal to the user's transaction list",
    .input = input,
    .output = output,
    .handle = create_transaction,
    .check = check,
    .shape = &crm_shape,
    .trims = true);
