/*
 * listSkySlopeTransactionsTool: the account's SkySlope files, some at a time. SkySlope's pages hold ten rows
 * and cannot be filtered, so pages are read until there are enough rows of the status, or enough has been read
 * for one call; a cursor says where to go on.
 *
 * One round trip for the connection; up to 20 calls to SkySlope, and a login when there is no session yet.
 *
 * SkySlope: https://api.skyslope.com/docs (Files).
 */
#include <edge/edge.h>

#include <stdlib.h>
#include <string.h>

#include "lib/crm.h"
#include "lib/field.h"
#include "lib/skyslope.h"

enum {
    PAGE_ROWS = 10,
    LAST_PAGE = 1000,
    PAGES_A_CALL = 20,
    CALL_MS = 20000,
};

/* 1990-01-01 to 2037-12-31: SkySlope wants both, and these leave nothing out. */
#define ALL_DATES "earliestDate=631152000&latestDate=2145916799"

static const edge_field input[] = {
    { "status", EDGE_TEXT, .min = 0, .max = 50, .help = "Only files of this status, in any case" },
    { "limit", EDGE_INT, .min = 1, .max = 100, .fallback = "20", .help = "Files an answer" },
    { "fileType", EDGE_ENUM, .values = skyslope_kinds, .fallback = "sale", .help = "Sales or listings" },
    { "cursor", EDGE_TEXT, .fallback = "1:0", .help = "nextCursor of the answer before" },
    { "userId", EDGE_USER, .help = "Whose SkySlope; required under the service key" },
    { 0 },
};

static const edge_field row_fields[] = {
    { "transactionId", EDGE_TEXT, .help = "GUID of the file" },
    SKYSLOPE_KIND_FIELD,
    { "propertyAddress", EDGE_JSON, .help = "As SkySlope has it" },
    { "status", EDGE_JSON, .help = "As SkySlope has it" },
    { "mlsNumber", EDGE_JSON, .help = "As SkySlope has it" },
    { "escrowClosingDate", EDGE_JSON, .help = "As SkySlope has it" },
    { "actualClosingDate", EDGE_JSON, .help = "As SkySlope has it" },
    { "link", EDGE_JSON, .help = "As SkySlope has it" },
    { 0 },
};
static const edge_field file_row = { .type = EDGE_OBJECT, .fields = row_fields };
static const edge_field data_fields[] = {
    { "transactions", EDGE_ARRAY, .items = &file_row, .required = true, .help = "A page" },
    { "count", EDGE_INT, .required = true, .help = "How many are on the page" },
    { "nextCursor", EDGE_TEXT, .help = "For the page behind, when there is one" },
    TOOL_MESSAGE_FIELD,
    { 0 },
};
static const edge_field output[] = TOOL_OUTPUT(data_fields);

/* The next row to be looked at. */
struct position {
    int64_t page, row;
};

static struct position read_cursor(edge_ctx *ctx, const char *cursor)
{
    static const char digits[] = "0123456789";
    size_t page = strspn(cursor, digits);
    bool is_cursor = page >= 1 && page <= 4 && cursor[page] == ':' && strspn(cursor + page + 1, digits) == 1 &&
                     cursor[page + 2] == '\0' && atoi(cursor) >= 1;
    if (!is_cursor)
        field_fail(ctx, "cursor", "must be nextCursor of an earlier answer");
    return (struct position){ .page = atoi(cursor), .row = cursor[page + 1] - '0' };
}

static json_t *check(edge_ctx *ctx, const json_t *in, const edge_field *field, json_t *value)
{
    (void)in;
    if (strcmp(field->name, "cursor") == 0)
        read_cursor(ctx, json_string_value(value));
    return value;
}

static bool has_status(const json_t *file, const char *status)
{
    const char *own = edge_json_text(file, "status");
    return status == NULL || (own != NULL && strcasecmp(own, status) == 0);
}

static json_t *row_of(const json_t *file, const struct skyslope_kind *kind)
{
    static const char *const names[] = { "propertyAddress", "status", "mlsNumber", "escrowClosingDate",
        "actualClosingDate", "link", NULL };
    json_t *row =
        json_pack("{s:O?, s:s}", "transactionId", json_object_get(file, kind->guid), "fileType", kind->name);
    for (const char *const *name = names; *name != NULL; name++) {
        json_t *value = json_object_get(file, *name);
        json_object_set_new(row, *name, value != NULL ? json_incref(value) : json_null());
    }
    return row;
}

static json_t *read_page(struct skyslope *sky, const struct skyslope_kind *kind, int64_t page)
{
    json_t *value = skyslope_call(sky,
        .path = edge_format(sky->crm->ctx, "%s?" ALL_DATES "&pageNumber=%lld", kind->path, (long long)page));
    json_t *rows = json_object_get(value, kind->list);
    if (!json_is_array(rows))
        crm_fail(sky->crm, crm_unusable(sky->crm, "SkySlope answered without a list"));
    return rows;
}

/* Keeps rows until there are enough, and moves on; false once there is nothing behind. */
static bool keep_rows(json_t *kept, size_t limit, const json_t *rows, struct position *at,
    const struct skyslope_kind *kind, const char *status)
{
    int64_t count = (int64_t)json_array_size(rows);
    while (at->row < count && json_array_size(kept) < limit) {
        const json_t *file = json_array_get(rows, (size_t)at->row++);
        if (has_status(file, status))
            json_array_append_new(kept, row_of(file, kind));
    }
    if (at->row < count)
        return true;
    *at = (struct position){ .page = at->page + 1 };
    return count >= PAGE_ROWS && at->page <= LAST_PAGE;
}

static json_t *list_transactions(edge_ctx *ctx, json_t *in)
{
    struct position at = read_cursor(ctx, edge_json_text(in, "cursor"));
    const struct skyslope_kind *kind = skyslope_kind_named(edge_json_text(in, "fileType"));
    size_t limit = (size_t)edge_json_int(in, "limit", 0);
    struct skyslope *sky = skyslope_open(ctx, "Failed to list transactions");

    json_t *kept = json_array();
    bool more = at.page <= LAST_PAGE;
    int64_t until_us = edge_now_exact() + CALL_MS * 1000LL;
    for (int pages = 0; more && pages < PAGES_A_CALL && json_array_size(kept) < limit; pages++) {
        if (pages > 0 && edge_now_exact() > until_us)
            break;
        more = keep_rows(kept, limit, read_page(sky, kind, at.page), &at, kind, edge_json_text(in, "status"));
    }
    const char *next = edge_format(ctx, "%lld:%lld", (long long)at.page, (long long)at.row);
    json_t *data = json_pack("{s:o, s:I, s:s?}", "transactions", kept, "count",
        (json_int_t)json_array_size(kept), "nextCursor", more ? next : NULL);
    json_t *answer = crm_answer(data, "Transactions retrieved successfully");
    crm_done(sky->crm, data);
    return answer;
}

EDGE_FUNCTION(listSkySlopeTransactionsTool,
    .summary = "Lists the account's SkySlope files",
    .input = input,
    .output = output,
    .handle = list_transactions,
    .check = check,
    .shape = &crm_shape,
    .trims = true);
