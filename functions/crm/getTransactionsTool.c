/*
 * getTransactionsTool: the user's deals, newest first, a page at a time.
 *
 * One round trip as the user: profile, page and count.
 */
#include <edge/edge.h>

#include <stdlib.h>
#include <string.h>

#include "lib/crm.h"
#include "lib/deals.h"
#include "lib/field.h"

static const edge_field input[] = {
    { "status", EDGE_TEXT,
        .help = "Only deals of this status: pending, active, under_contract, closed or cancelled" },
    { "limit", EDGE_INT, .min = 1, .max = 100, .fallback = "20", .help = "Deals a page" },
    { "cursor", EDGE_TEXT, .min = 1, .max = 200, .help = "nextCursor of the page before" },
    { "userId", EDGE_USER, .help = "Whose deals; required under the service key" },
    { 0 },
};

static const edge_field deal = { .type = EDGE_OBJECT, .fields = deal_fields };
static const edge_field data_fields[] = {
    { "transactions", EDGE_ARRAY, .items = &deal, .required = true, .help = "A page, newest first" },
    { "count", EDGE_INT, .required = true, .help = "How many are on the page" },
    { "total", EDGE_INT, .required = true, .help = "How many there are" },
    { "nextCursor", EDGE_TEXT, .help = "For the page behind, when there is one" },
    TOOL_MESSAGE_FIELD,
    { 0 },
};
static const edge_field output[] = TOOL_OUTPUT(data_fields);

/* Where a page begins: behind this row. */
struct position {
    int64_t created_at_us;
    const char *id;
};

static const char *write_cursor(edge_ctx *ctx, const edge_rows *rows, size_t last)
{
    const char *text = edge_format(
        ctx, "%lld %s", (long long)edge_rows_time(rows, last, "createdAt"), edge_rows_text(rows, last, "id"));
    return edge_base64url(ctx, text, strlen(text));
}

static bool is_uuid(const char *text)
{
    return strlen(text) == 36 && strspn(text, "0123456789abcdef-") == 36 && text[8] == '-' && text[13] == '-' &&
           text[18] == '-' && text[23] == '-' && strcspn(text + 24, "-") == 12;
}

static struct position read_cursor(edge_ctx *ctx, const char *cursor)
{
    size_t length = 0;
    const char *text = (const char *)edge_base64url_decode(ctx, cursor, &length);
    char *id = NULL;
    long long created_at = text != NULL ? strtoll(text, &id, 10) : 0;
    if (text == NULL || strlen(text) != length || id == text || *id != ' ' || !is_uuid(id + 1))
        field_fail(ctx, "cursor", "must be nextCursor of an earlier answer");
    return (struct position){ .created_at_us = created_at, .id = id + 1 };
}

static json_t *check(edge_ctx *ctx, const json_t *in, const edge_field *field, json_t *value)
{
    (void)in;
    if (strcmp(field->name, "cursor") == 0)
        read_cursor(ctx, json_string_value(value));
    return strcmp(field->name, "status") == 0 ? crm_choice(ctx, field, value, deal_statuses) : value;
}

static json_t *get_transactions(edge_ctx *ctx, json_t *in)
{
    const char *user = edge_auth_user(ctx), *status = edge_json_text(in, "status");
    const char *cursor = edge_json_text(in, "cursor");
    struct position after = cursor != NULL ? read_cursor(ctx, cursor) : (struct position){ .id = NULL };
    size_t limit = (size_t)edge_json_int(in, "limit", 0);

    edge_rows *rows[3];
    edge_query_batch(ctx, rows, EDGE_SQL(CRM_PROFILE_SQL, edge_text(user)),
        EDGE_SQL("SELECT " DEAL_COLUMNS " FROM transactions"
                 " WHERE user_id = $1"
                 " AND ($2::text IS NULL OR status = $2)"
                 " AND ($3::uuid IS NULL OR (created_at, id) < ($4, $3))"
                 " ORDER BY created_at DESC, id DESC LIMIT $5",
            edge_text(user), edge_text(status), edge_uuid(after.id), edge_time(after.created_at_us),
            edge_int((int64_t)limit + 1)),
        EDGE_SQL("SELECT count(*) AS total FROM transactions WHERE user_id = $1 AND ($2::text IS NULL OR "
                 "status = $2)",
            edge_text(user), edge_text(status)));
    crm_require_named_profile(ctx, rows[0]);

    bool more = edge_rows_count(rows[1]) > limit;
    json_t *page = edge_rows_json(rows[1]);
    if (more)
        json_array_remove(page, limit);
    json_t *data = json_pack("{s:o, s:I, s:I, s:s?}", "transactions", page, "count",
        (json_int_t)json_array_size(page), "total", (json_int_t)edge_rows_int(rows[2], 0, "total"),
        "nextCursor", more ? write_cursor(ctx, rows[1], limit - 1) : NULL);
    return crm_answer(data, "Transactions retrieved successfully");
}

EDGE_FUNCTION(getTransactionsTool,
    .summary = "Lists the user's deals, newest first",
    .input = input,
    .output = output,
    .handle = get_transactions,
    .check = check,
    .shape = &crm_shape,
    .trims = true);
