/*
 * sandbox_lofty: stand-in for Lofty's open API (https://developer.lofty.com/api-reference): who a key belongs
 * to, leads and transactions by the page, tasks.
 *
 * The key says what its account holds, by what stands in it: "leads-<n>" (default 3), "transactions-<n>"
 * (default 2), "page-<n>" rows at most on a page (default 100, Lofty's own limit). "invalid" in it makes it no
 * key at all. Rows are computed, not stored, and are the same each time: number i of 100,000 costs no more than
 * the first.
 */
#include <edge/edge.h>

#include <stdlib.h>
#include <string.h>

#include "lib/sandbox.h"

enum {
    PAGE_MAX = 100,
};

#define FIRST_LEAD 563172647619608LL    /* beyond 2^49, as theirs are */
#define FIRST_UPDATE_MS 1767225600000LL /* 2026-01-01T00:00:00Z; one minute a row */

static json_t *refuse(edge_ctx *ctx, const json_t *order, int status, json_t *body)
{
    return sandbox_send_json(ctx, order, status, body);
}

/* https://developer.lofty.com/authentication/overview: an API key comes behind "token", Bearer is OAuth's. */
static json_t *check_access(edge_ctx *ctx, const json_t *order, const char **key)
{
    const char *given = edge_request_header(ctx, "authorization"),
               *agent = edge_request_header(ctx, "user-agent");
    if (agent == NULL || strncmp(agent, "curl/", 5) == 0 || strncmp(agent, "libcurl/", 8) == 0)
        return refuse(ctx, order, 403, json_string("Forbidden"));
    if (given != NULL && strncmp(given, "Bearer ", 7) == 0)
        return refuse(
            ctx, order, 400, json_pack("{s:i, s:s}", "code", 200058, "message", "Invalid access token"));
    if (given == NULL || strncmp(given, "token ", 6) != 0 || strstr(given, "invalid") != NULL)
        return refuse(ctx, order, 401, json_string("Unauthorized"));
    if (strcmp(edge_request_method(ctx), "GET") == 0 && edge_request_header(ctx, "content-type") != NULL)
        return refuse(ctx, order, 415, json_pack("{s:s}", "message", "Unsupported Media Type"));
    *key = given + 6;
    return NULL;
}

static int64_t holds(const char *key, const char *what, int64_t fallback)
{
    const char *at = strstr(key, what);
    return at != NULL ? atoll(at + strlen(what)) : fallback;
}

static int64_t query_number(edge_ctx *ctx, const char *name, int64_t fallback)
{
    const char *text = edge_request_query(ctx, name);
    return text != NULL ? atoll(text) : fallback;
}

static json_t *lead(edge_ctx *ctx, int64_t i)
{
    static const char *const stages[] = { "New Lead", "Nurture", "Client" };
    json_int_t id = FIRST_LEAD + i, updated = FIRST_UPDATE_MS + i * 60000;
    return json_pack("{s:I, s:o, s:o, s:[o], s:[o], s:s, s:s, s:I, s:i, s:[{s:I, s:s}], s:{s:s}, s:I}",
        "leadId", id, "firstName", json_string(edge_format(ctx, "Lead%lld", (long long)i)), "lastName",
        json_string("Example"), "emails", json_string(edge_format(ctx, "Lead%lld@Example.com", (long long)i)),
        "phones", json_string(edge_format(ctx, "+1512%07lld", (long long)i)), "stage", stages[i % 3], "source",
        "Website", "assignedUserId", (json_int_t)771, "score", (int)(i % 100), "tags", "tagId",
        (json_int_t)(i % 7), "tagName", i % 2 == 0 ? "buyer" : "seller", "customAttributes", "area", "North",
        "lastUpdateTime", updated);
}

/* https://developer.lofty.com/api-reference/leads/list-leads; a scroll id goes on where its page ended. */
static json_t *list_leads(edge_ctx *ctx, const json_t *order, const char *key)
{
    const char *scroll = edge_request_query(ctx, "scrollId");
    int64_t total = holds(key, "leads-", 3), limit = query_number(ctx, "limit", 20),
            most = holds(key, "page-", PAGE_MAX);
    int64_t offset = scroll != NULL ? atoll(scroll + strspn(scroll, "s-")) : query_number(ctx, "offset", 0);
    if (limit < 1 || limit > PAGE_MAX || offset < 0 || (scroll != NULL && strncmp(scroll, "s-", 2) != 0))
        return refuse(
            ctx, order, 400, json_pack("{s:i, s:s}", "code", 100001, "message", "Invalid paging parameter"));

    json_t *leads = json_array();
    for (int64_t i = offset; i < total && i < offset + limit && i < offset + most; i++)
        json_array_append_new(leads, lead(ctx, i));
    int64_t next = offset + (int64_t)json_array_size(leads);
    return sandbox_send_json(ctx, order, 200,
        json_pack("{s:{s:s, s:I, s:I, s:I, s:o}, s:o}", "_metadata", "collection", "leads", "limit",
            (json_int_t)limit, "offset", (json_int_t)offset, "total", (json_int_t)total, "scrollId",
            json_string(edge_format(ctx, "s-%lld", (long long)next)), "leads", leads));
}

static json_t *transaction(edge_ctx *ctx, int64_t i)
{
    static const char *const statuses[] = { "Under Contract", "Closed", "Pre-Contract", "Active",
        "Terminated" };
    static const char *const types[] = { "Purchase", "Listing", "Lease" };
    json_int_t updated = FIRST_UPDATE_MS + i * 60000;
    return json_pack("{s:I, s:o, s:s, s:s, s:I, s:s, s:I, s:f, s:I, s:I}", "transactionId",
        (json_int_t)(10001 + i), "transactionName",
        json_string(edge_format(ctx, "%lld Example Street", (long long)(i + 1))), "transactionStatus",
        statuses[i % 5], "transactionType", types[i % 3], "leadId", (json_int_t)(FIRST_LEAD + i), "leadName",
        "Lead Example", "homePrice", (json_int_t)(300000 + i), "commissionRate", 2.5, "expectedCloseDate",
        (json_int_t)(FIRST_UPDATE_MS + i % 90 * 86400000), "updated", updated);
}

static json_t *list_transactions(edge_ctx *ctx, const json_t *order, const char *key)
{
    int64_t total = holds(key, "transactions-", 2), size = query_number(ctx, "pageSize", 20);
    int64_t page = query_number(ctx, "pageNum", 0), most = holds(key, "page-", PAGE_MAX);
    if (size < 1 || size > PAGE_MAX || page < 0)
        return refuse(
            ctx, order, 400, json_pack("{s:i, s:s}", "code", 100001, "message", "Invalid paging parameter"));

    size = size < most ? size : most;
    json_t *rows = json_array();
    for (int64_t i = page * size; i < total && i < (page + 1) * size; i++)
        json_array_append_new(rows, transaction(ctx, i));
    return sandbox_send_json(
        ctx, order, 200, json_pack("{s:I, s:o}", "totalCount", (json_int_t)total, "pageData", rows));
}

static json_t *create_task(edge_ctx *ctx, const json_t *order)
{
    static const char *const types[] = { "Call", "Email", "Text", "Other", NULL };
    json_t *task = sandbox_body(ctx);
    const char *type = edge_json_text(task, "type"), *media_type = edge_request_header(ctx, "content-type");
    bool known = false;
    for (const char *const *one = types; type != NULL && *one != NULL; one++)
        known = known || strcmp(*one, type) == 0;
    if (media_type == NULL || strncmp(media_type, "application/json", 16) != 0)
        return refuse(ctx, order, 415, json_pack("{s:s}", "message", "Unsupported Media Type"));
    if (!known || edge_json_text(task, "content") == NULL || edge_json_text(task, "assignedRole") == NULL)
        return refuse(ctx, order, 400, json_string("type, content and assignedRole are required"));
    if (json_object_get(task, "leadId") != NULL && !json_is_integer(json_object_get(task, "leadId")))
        return refuse(ctx, order, 400, json_string("leadId must be a number"));
    return sandbox_send_json(ctx, order, 200,
        json_pack("{s:I}", "taskId", (json_int_t)(900000000000000LL + edge_now_exact() / 1000)));
}

/* https://developer.lofty.com/api-reference/notes/create-note */
static json_t *create_note(edge_ctx *ctx, const json_t *order)
{
    json_t *note = sandbox_body(ctx);
    if (!json_is_integer(json_object_get(note, "leadId")) || edge_json_text(note, "content") == NULL)
        return refuse(ctx, order, 400, json_string("leadId and content are required"));
    return sandbox_send_json(ctx, order, 200,
        json_pack("{s:I}", "noteId", (json_int_t)(800000000000000LL + edge_now_exact() / 1000)));
}

static json_t *route(edge_ctx *ctx, const json_t *order, const char *key)
{
    const char *path = edge_request_rest(ctx);
    bool get = strcmp(edge_request_method(ctx), "GET") == 0;
    if (get && strcmp(path, "/v1.0/me") == 0)
        return sandbox_send_json(ctx, order, 200,
            json_pack("{s:i, s:s, s:s, s:s}", "id", 11, "email", "ann@example.com", "firstName", "Ann",
                "lastName", "Lee"));
    if (get && strcmp(path, "/v1.0/leads") == 0)
        return list_leads(ctx, order, key);
    if (get && strcmp(path, "/v2.0/transactions") == 0)
        return list_transactions(ctx, order, key);
    if (!get && strcmp(path, "/v1.0/notes") == 0)
        return create_note(ctx, order);
    if (!get && strcmp(path, "/v2.0/tasks") == 0)
        return create_task(ctx, order);

    /* POST /v2.0/tasks/<id>/finish */
    const char *id = strncmp(path, "/v2.0/tasks/", 12) == 0 ? path + 12 : "";
    size_t digits = strspn(id, "0123456789");
    if (!get && digits > 0 && strcmp(id + digits, "/finish") == 0)
        return sandbox_send_json(ctx, order, 200, json_object());
    return refuse(ctx, order, 404, json_string("Not Found"));
}

static json_t *sandbox_crm(edge_ctx *ctx, json_t *in)
{
    (void)in;
    json_t *order = sandbox_receive(ctx, "lofty");
    if (sandbox_has_answer(order))
        return sandbox_answer(ctx, order);
    const char *key = NULL;
    json_t *refused = check_access(ctx, order, &key);
    return key == NULL ? refused : route(ctx, order, key);
}

EDGE_FUNCTION(sandbox_lofty,
    .summary = "Stand-in for Lofty",
    .handle = sandbox_crm,
    .methods = "GET POST",
    .raw_body = true,
    .streams = true);
