/*
 * updateTransactionTool: changes a deal's status, close date, commission or notes; null clears the last three.
 *
 * One transaction as the user: the row, locked, with what would become of it, and the write when anything
 * differs.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/crm.h"
#include "lib/deals.h"
#include "lib/field.h"

enum {
    NOTES_MAX = 20000, /* characters of all notes together */
};

static const char *const modes[] = { "append", "replace", NULL };
static const char *const clearable[] = { "expectedCloseDate", "commissionAmount", "notes", NULL };
static const char *const changeable[] = { "status", "expectedCloseDate", "commissionAmount", "notes", NULL };

static const edge_field input[] = {
    { "transactionId", EDGE_UUID, .required = true, .help = "Deal to change" },
    { "status", EDGE_TEXT, .help = "pending, active, under_contract, closed or cancelled, in any case" },
    { "expectedCloseDate", EDGE_DATE, .help = "Day on which it is to close; null clears it" },
    { "commissionAmount", EDGE_NUMBER, .min = 0, .max = DEAL_COMMISSION_MAX,
        .help = "In dollars; null clears it" },
    { "notes", EDGE_TEXT, .min = 0, .max = DEAL_NOTE_MAX, .help = "What to note; null clears all notes" },
    { "notesMode", EDGE_ENUM, .values = modes, .fallback = "append",
        .help = "Whether notes are added to the old ones" },
    { "userId", EDGE_USER, .help = "Whose deal; required under the service key" },
    { 0 },
};

static const edge_field data_fields[] = {
    { "transactionId", EDGE_UUID, .required = true, .help = "The deal" },
    { "status", EDGE_TEXT, .required = true, .help = "How far it is now" },
    { "changed", EDGE_ARRAY, .items = &crm_word, .required = true, .help = "Fields that were changed" },
    { "transaction", EDGE_OBJECT, .fields = deal_fields, .required = true, .help = "All of it" },
    TOOL_MESSAGE_FIELD,
    { 0 },
};
static const edge_field output[] = TOOL_OUTPUT(data_fields);

static json_t *check(edge_ctx *ctx, const json_t *in, const edge_field *field, json_t *value)
{
    (void)in;
    return strcmp(field->name, "status") == 0 ? crm_choice(ctx, field, value, deal_statuses) : value;
}

/* The new values; of a field that is to stay, is_given is false. */
struct change {
    bool is_given[4]; /* in the order of changeable */
    const char *status, *close_date, *notes;
    edge_arg commission;
    bool replaces_notes;
};

static struct change read_change(edge_ctx *ctx, const json_t *in)
{
    const json_t *commission = json_object_get(in, "commissionAmount");
    struct change change = {
        .status = edge_json_text(in, "status"),
        .close_date = edge_json_text(in, "expectedCloseDate"),
        .commission =
            json_is_number(commission) ? edge_number(json_number_value(commission)) : edge_decimal(NULL),
        .notes = edge_json_text(in, "notes"),
        .replaces_notes = strcmp(edge_json_text(in, "notesMode"), "replace") == 0,
    };
    bool any = false;
    for (size_t i = 0; changeable[i] != NULL; i++)
        any |= change.is_given[i] = json_object_get(in, changeable[i]) != NULL;
    if (!any)
        edge_fail_with(ctx, 400, "no_fields", .message = "No fields to update",
            .suggestion = "Give a status, expectedCloseDate, commissionAmount or notes");
    return change;
}

/* The row as it is now, locked, and as it would be. */
static edge_rows *look(edge_tx *tx, const char *id, const struct change *change)
{
    return edge_tx_query(tx,
        "SELECT " DEAL_COLUMNS ", wanted.*,"
        " wanted.new_status IS DISTINCT FROM status AS changes_0,"
        " wanted.new_close_date IS DISTINCT FROM expected_close_date AS changes_1,"
        " wanted.new_commission IS DISTINCT FROM commission_amount AS changes_2,"
        " wanted.new_notes IS DISTINCT FROM notes AS changes_3,"
        " char_length(wanted.new_notes) AS notes_length"
        " FROM transactions, LATERAL (SELECT"
        " CASE WHEN $2 THEN $3 ELSE status END AS new_status,"
        " CASE WHEN $4 THEN $5 ELSE expected_close_date END AS new_close_date,"
        " CASE WHEN $6 THEN round($7, 2) ELSE commission_amount END AS new_commission,"
        " CASE WHEN NOT $8 THEN notes"
        " WHEN $9::text IS NULL OR $10 OR coalesce(notes, '') = '' THEN $9"
        " ELSE notes || E'\\n' || $9 END AS new_notes) AS wanted"
        " WHERE id = $1"
        " FOR UPDATE OF transactions",
        edge_uuid(id), edge_bool(change->is_given[0]), edge_text(change->status),
        edge_bool(change->is_given[1]), edge_date(change->close_date), edge_bool(change->is_given[2]),
        change->commission, edge_bool(change->is_given[3]), edge_text(change->notes),
        edge_bool(change->replaces_notes));
}

/* When a deal was closed is counted by goals, so the moment is kept as long as it stays closed. */
static edge_rows *write_row(edge_tx *tx, edge_ctx *ctx, const char *id, const edge_rows *row)
{
    return edge_tx_query(tx,
        "UPDATE transactions SET"
        " status = $2, expected_close_date = $3, commission_amount = $4, notes = $5,"
        " metadata = CASE"
        " WHEN $2 = 'closed' AND status IS DISTINCT FROM 'closed'"
        " THEN coalesce(metadata, '{}') || jsonb_build_object('closed_at', $6::text)"
        " WHEN $2 IS DISTINCT FROM 'closed' AND status = 'closed' THEN metadata - 'closed_at'"
        " ELSE metadata END"
        " WHERE id = $1"
        " RETURNING " DEAL_COLUMNS,
        edge_uuid(id), edge_text(edge_rows_text(row, 0, "new_status")),
        edge_date(edge_rows_text(row, 0, "new_close_date")),
        edge_decimal(edge_rows_decimal(row, 0, "new_commission")),
        edge_text(edge_rows_text(row, 0, "new_notes")), edge_text(edge_iso_time(ctx, edge_now(ctx))));
}

static json_t *changed_fields(edge_ctx *ctx, const edge_rows *row)
{
    json_t *changed = json_array();
    for (size_t i = 0; changeable[i] != NULL; i++)
        if (edge_rows_bool(row, 0, edge_format(ctx, "changes_%zu", i)))
            json_array_append_new(changed, json_string(changeable[i]));
    return changed;
}

/* Members of the row that only look() adds. */
static json_t *plain_row(const edge_rows *row)
{
    static const char *const added[] = { "new_status", "new_close_date", "new_commission", "new_notes",
        "changes_0", "changes_1", "changes_2", "changes_3", "notes_length", NULL };
    json_t *deal = edge_row_json(row, 0);
    for (const char *const *name = added; *name != NULL; name++)
        json_object_del(deal, *name);
    return deal;
}

/* The deal as it is afterwards, and in *changed the names of what differs. */
static json_t *apply(edge_ctx *ctx, const char *id, const struct change *change, json_t **changed)
{
    const char *user = edge_auth_user(ctx);
    json_t *deal = NULL;
    EDGE_TRANSACTION(ctx, tx)
    {
        crm_require_named_profile(ctx, edge_tx_query(tx, CRM_PROFILE_SQL, edge_text(user)));
        edge_rows *row = look(tx, id, change);
        if (edge_rows_count(row) == 0)
            edge_fail_with(ctx, 404, "not_found",
                .message = edge_format(ctx, "Transaction \"%s\" does not exist", id),
                .suggestion = "List the user's transactions to find the right id");
        if (edge_rows_int(row, 0, "notes_length") > NOTES_MAX && change->is_given[3])
            field_fail(ctx, "notes", "would make %lld characters of notes, %d are allowed",
                (long long)edge_rows_int(row, 0, "notes_length"), NOTES_MAX);
        *changed = changed_fields(ctx, row);
        deal = json_array_size(*changed) == 0 ? plain_row(row) : edge_row_json(write_row(tx, ctx, id, row), 0);
    }
    return deal;
}

static json_t *update_transaction(edge_ctx *ctx, json_t *in)
{
    const char *id = edge_json_text(in, "transactionId");
    struct change change = read_change(ctx, in);
    json_t *changed = NULL, *deal = apply(ctx, id, &change, &changed);

    json_t *data = json_pack("{s:s, s:O, s:o, s:O}", "transactionId", id, "status",
        json_object_get(deal, "status"), "changed", changed, "transaction", deal);
    return crm_answer(data, "Transaction updated successfully");
}

EDGE_FUNCTION(updateTransactionTool,
    .summary = "Changes a deal's status, close date, commission or notes",
    .input = input,
    .output = output,
    .handle = update_transaction,
    .check = check,
    .shape = &crm_shape,
    .trims = true,
    .null_fields = clearable);
