/*
 * sandbox_skyslope: stand-in for SkySlope's files API: signed login, offices and users, sale and listing files
 * with their checklist and documents. Answers are wrapped in "value", and begin with a byte order mark as
 * theirs may.
 *
 * Who may log in: an access key "ak-<x>" has the secret "as-<x>"; the integration is SKYSLOPE_CLIENT_ID with
 * its secret, or "ci-<x>" with "cs-<x>". Every account holds 23 sales and 4 listings, made up from their
 * number; files that are created or changed are kept under SANDBOX_DIR.
 *
 * Shapes: https://api.skyslope.com/docs; see docs/providers.md for what of them is public.
 */
#include <edge/edge.h>

#include <stdlib.h>
#include <string.h>

#include "lib/sandbox.h"
#include "lib/sandbox_files.h"

enum {
    SALES = 23,
    LISTINGS = 4,
    PAGE_ROWS = 10,
    CLOCK_SKEW_SECONDS = 300,
    SESSION_SECONDS = 7200,
    DIGEST_BYTES = EDGE_SHA256_BYTES,
};

#define SIGNING_KEY "sandbox"

static const struct file_kind {
    const char *path, *name, *guid, *contact;
    int count;
} sale = { "/api/files/sales", "sale", "saleGuid", "buyerContact", SALES },
  listing = { "/api/files/listings", "listing", "listingGuid", "sellerContact", LISTINGS };

static json_t *refuse(edge_ctx *ctx, const json_t *order, int status, const char *message)
{
    return sandbox_send_json(ctx, order, status, json_pack("{s:s}", "message", message));
}

/* A byte order mark before the JSON, which their servers send at times. */
static json_t *answer(edge_ctx *ctx, const json_t *order, int status, const char *name, json_t *value)
{
    json_t *body = json_pack("{s:{s:o}}", "value", name, value);
    return sandbox_send(ctx, order, status, "application/json",
        edge_format(ctx, "\xef\xbb\xbf%s", edge_json_dump(ctx, body, NULL)));
}

static const char *behind(const char *text, const char *prefix)
{
    size_t length = strlen(prefix);
    return text != NULL && strncmp(text, prefix, length) == 0 ? text + length : NULL;
}

static bool same(const char *a, const char *b)
{
    return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static bool is_integration(edge_ctx *ctx, const char *id, const char *secret)
{
    if (same(behind(id, "ci-"), behind(secret, "cs-")))
        return true;
    return same(id, edge_env(ctx, "SKYSLOPE_CLIENT_ID")) &&
           same(secret, edge_env(ctx, "SKYSLOPE_CLIENT_SECRET"));
}

/* Both are ISO 8601 in UTC, whose order is the text's. */
static bool is_recent(edge_ctx *ctx, const char *timestamp)
{
    enum {
        SECONDS_LENGTH = 19
    };
    int64_t skew_us = CLOCK_SKEW_SECONDS * 1000000LL;
    return strncmp(timestamp, edge_iso_time(ctx, edge_now(ctx) - skew_us), SECONDS_LENGTH) >= 0 &&
           strncmp(timestamp, edge_iso_time(ctx, edge_now(ctx) + skew_us), SECONDS_LENGTH) <= 0;
}

static const char *signature(edge_ctx *ctx, const char *secret, const char *message)
{
    uint8_t digest[DIGEST_BYTES];
    edge_hmac_sha256(secret, strlen(secret), message, strlen(message), digest);
    return edge_base64(ctx, digest, sizeof digest);
}

/* A session proves itself, so that none has to be kept: when it ends, and a signature of that. */
static const char *session_token(edge_ctx *ctx, int64_t ends)
{
    const char *until = edge_format(ctx, "%lld", (long long)ends);
    return edge_format(ctx, "%s.%s", until, signature(ctx, SIGNING_KEY, until));
}

/* Authorization: SS <access key>:<Base64(HMAC-SHA256(access secret, clientID:clientSecret:Timestamp))> */
static json_t *log_in(edge_ctx *ctx, const json_t *order)
{
    json_t *body = sandbox_body(ctx);
    const char *id = edge_json_text(body, "clientID"), *secret = edge_json_text(body, "clientSecret");
    const char *timestamp = edge_request_header(ctx, "timestamp");
    const char *given = behind(edge_request_header(ctx, "authorization"), "SS ");
    const char *colon = given != NULL ? strchr(given, ':') : NULL;
    if (id == NULL || secret == NULL || colon == NULL || timestamp == NULL)
        return refuse(ctx, order, 400, "clientID, clientSecret, Timestamp and Authorization are required");
    const char *key = behind(edge_copy_bytes(ctx, given, (size_t)(colon - given)), "ak-");
    if (key == NULL || !is_integration(ctx, id, secret) || !is_recent(ctx, timestamp))
        return refuse(ctx, order, 401, "Authentication failed");
    const char *expected =
        signature(ctx, edge_format(ctx, "as-%s", key), edge_format(ctx, "%s:%s:%s", id, secret, timestamp));
    if (strcmp(colon + 1, expected) != 0)
        return refuse(ctx, order, 401, "Authentication failed");
    int64_t ends = edge_now(ctx) / 1000000 + SESSION_SECONDS;
    return sandbox_send_json(ctx, order, 200,
        json_pack("{s:s, s:s}", "Session", session_token(ctx, ends), "Expiration",
            edge_iso_time(ctx, ends * 1000000)));
}

static bool has_session(edge_ctx *ctx)
{
    const char *given = edge_request_header(ctx, "session");
    int64_t ends = given != NULL ? atoll(given) : 0;
    return ends > edge_now(ctx) / 1000000 && strcmp(given, session_token(ctx, ends)) == 0;
}

static const char *guid_of(edge_ctx *ctx, const struct file_kind *kind, int number)
{
    return edge_format(ctx, "5a1e0000-%04x-4000-8000-%012x", kind == &sale ? 1 : 2, number);
}

/* Number number of the account's files, as their answers look. */
static json_t *made_up(edge_ctx *ctx, const struct file_kind *kind, int number)
{
    static const char *const statuses[] = { "Pending", "Closed", "Active" };
    json_t *file = json_pack("{s:s, s:s, s:s, s:s, s:i, s:s}", kind->guid, guid_of(ctx, kind, number), "status",
        statuses[number % 3], "mlsNumber", edge_format(ctx, "M%d", number), "modifiedOn",
        "2026-03-01T10:00:00Z", "listingPrice", 400000 + number, "propertyAddress",
        edge_format(ctx, "%d Maple St, Sacramento, CA", number + 1));
    if (kind == &sale)
        json_object_set_new(file, "salePrice", json_integer(410000 + number));
    json_object_set_new(file, "checklist",
        json_pack("{s:[{s:i, s:s, s:s, s:s, s:[]}, {s:i, s:s, s:s, s:s, s:[{s:s, s:s}]}, {s:i, s:s, s:s, s:s, "
                  "s:[]}]}",
            "activities", "activityId", 1, "activityName", " Purchase Agreement ", "typeName", "Contract",
            "status", "Required", "checklistDocs", "activityId", 2, "activityName", "Disclosure", "typeName",
            "Disclosures", "status", "Required", "checklistDocs", "id", "d-1", "fileName", "Disclosure.pdf",
            "activityId", 3, "activityName", "Home Warranty", "typeName", "Other", "status", "Optional",
            "checklistDocs"));
    return file;
}

static json_t *stored(edge_ctx *ctx, const char *guid)
{
    const char *text =
        sandbox_read(ctx, sandbox_path(ctx, "skyslope", edge_format(ctx, "files/%s.json", guid)));
    return text != NULL ? edge_json_parse(ctx, text, strlen(text)) : NULL;
}

static void store(edge_ctx *ctx, const char *guid, const json_t *file)
{
    size_t length;
    const char *text = edge_json_dump(ctx, file, &length);
    sandbox_replace(ctx, sandbox_path(ctx, "skyslope", edge_format(ctx, "files/%s.json", guid)), text, length);
}

static json_t *find(edge_ctx *ctx, const struct file_kind *kind, const char *guid)
{
    json_t *file = stored(ctx, guid);
    if (file != NULL)
        return json_object_get(file, kind->guid) != NULL ? file : NULL;
    for (int i = 0; i < kind->count; i++)
        if (strcasecmp(guid_of(ctx, kind, i), guid) == 0)
            return made_up(ctx, kind, i);
    return NULL;
}

/* Ten rows a page, the first page is 1, dates are required. */
static json_t *list(edge_ctx *ctx, const json_t *order, const struct file_kind *kind)
{
    const char *page = edge_request_query(ctx, "pageNumber");
    if (page == NULL || atoi(page) < 1 || edge_request_query(ctx, "earliestDate") == NULL ||
        edge_request_query(ctx, "latestDate") == NULL)
        return refuse(ctx, order, 400, "earliestDate, latestDate and pageNumber are required");
    json_t *rows = json_array();
    for (int i = (atoi(page) - 1) * PAGE_ROWS; i < kind->count && i < atoi(page) * PAGE_ROWS; i++)
        json_array_append_new(rows, made_up(ctx, kind, i));
    return answer(ctx, order, 200, kind == &sale ? "sales" : "listings", rows);
}

static json_t *create(edge_ctx *ctx, const json_t *order, const struct file_kind *kind)
{
    static const char *const needed[] = { "officeGuid", "agentGuid", "checklistTypeId", "property", NULL };
    json_t *file = sandbox_body(ctx);
    for (const char *const *name = needed; *name != NULL; name++)
        if (json_object_get(file, *name) == NULL)
            return refuse(ctx, order, 400, edge_format(ctx, "%s is required", *name));
    const char *guid = edge_uuid_v4(ctx);
    json_object_set_new(file, kind->guid, json_string(guid));
    json_object_set_new(file, "status", json_string("Pending"));
    store(ctx, guid, file);
    return answer(ctx, order, 200, kind->guid, json_string(guid));
}

/* PUT replaces the whole form: what is not sent is gone. */
static json_t *replace(
    edge_ctx *ctx, const json_t *order, const struct file_kind *kind, const char *guid, json_t *file)
{
    json_t *form = sandbox_body(ctx);
    if (!json_is_object(form))
        return refuse(ctx, order, 400, "The form is required");
    json_object_set(form, kind->guid, json_object_get(file, kind->guid));
    json_object_set(form, "status", json_object_get(file, "status"));
    json_object_set(form, "checklist", json_object_get(file, "checklist"));
    store(ctx, guid, form);
    return answer(ctx, order, 200, kind->guid, json_string(guid));
}

static json_t *add_document(edge_ctx *ctx, const json_t *order)
{
    json_t *document = sandbox_body(ctx);
    const char *name = edge_json_text(document, "fileName"),
               *content = edge_json_text(document, "base64Content");
    size_t length = 0;
    if (name == NULL || content == NULL || edge_base64_decode(ctx, content, &length) == NULL || length == 0)
        return refuse(ctx, order, 400, "fileName and base64Content are required");
    return answer(ctx, order, 200, "documentGuid", json_string(edge_uuid_v4(ctx)));
}

static json_t *of_file(
    edge_ctx *ctx, const json_t *order, const struct file_kind *kind, const char *guid, const char *rest)
{
    const char *method = edge_request_method(ctx);
    json_t *file = find(ctx, kind, guid);
    if (file == NULL)
        return refuse(ctx, order, 404, "File not found");
    if (rest[0] == '\0' && strcmp(method, "GET") == 0)
        return answer(ctx, order, 200, kind->name, file);
    if (rest[0] == '\0' && strcmp(method, "PUT") == 0)
        return replace(ctx, order, kind, guid, file);
    if (strcmp(method, "POST") != 0)
        return refuse(ctx, order, 405, "Method not allowed");
    if (strcmp(rest, "/documents") == 0)
        return add_document(ctx, order);
    if (strcmp(rest + 1, kind->contact) == 0)
        return edge_json_text(sandbox_body(ctx), "lastName") != NULL
                   ? answer(ctx, order, 200, "contactGuid", json_string(edge_uuid_v4(ctx)))
                   : refuse(ctx, order, 400, "lastName is required");
    if (strncmp(rest, "/checklist-items/", 17) == 0)
        return edge_json_text(sandbox_body(ctx), "documentGuid") != NULL
                   ? answer(ctx, order, 200, "attached", json_true())
                   : refuse(ctx, order, 400, "documentGuid is required");
    return refuse(ctx, order, 404, "Not found");
}

static json_t *offices(edge_ctx *ctx, const json_t *order, const char *path)
{
    if (strcmp(path, "/api/offices") == 0)
        return answer(
            ctx, order, 200, "offices", json_pack("[{s:s, s:s}]", "officeGuid", "o-1", "name", "Main Office"));
    if (strcmp(path, "/api/users") == 0)
        return answer(
            ctx, order, 200, "users", json_pack("[{s:s, s:s}]", "userGuid", "a-1", "email", "ann@example.com"));
    return answer(ctx, order, 200, "checklistTypes",
        json_pack("[{s:i, s:s}]", "checklistTypeId", 12, "name", "Residential"));
}

static json_t *route(edge_ctx *ctx, const json_t *order)
{
    const char *path = edge_request_rest(ctx);
    if (strcmp(path, "/auth/login") == 0)
        return log_in(ctx, order);
    if (!has_session(ctx))
        return refuse(ctx, order, 401, "Session is not valid");
    if (strncmp(path, "/api/offices", 12) == 0 || strcmp(path, "/api/users") == 0)
        return offices(ctx, order, path);

    const struct file_kind *kind = behind(path, sale.path) != NULL ? &sale : &listing;
    const char *rest = behind(path, kind->path);
    if (rest == NULL)
        return refuse(ctx, order, 404, "Not found");
    if (rest[0] == '\0')
        return strcmp(edge_request_method(ctx), "GET") == 0 ? list(ctx, order, kind) : create(ctx, order, kind);
    size_t length = strcspn(rest + 1, "/");
    return of_file(ctx, order, kind, edge_copy_bytes(ctx, rest + 1, length), rest + 1 + length);
}

static json_t *sandbox_files_api(edge_ctx *ctx, json_t *in)
{
    (void)in;
    json_t *order = sandbox_receive(ctx, "skyslope");
    return sandbox_has_answer(order) ? sandbox_answer(ctx, order) : route(ctx, order);
}

EDGE_FUNCTION(sandbox_skyslope,
    .summary = "Stand-in for SkySlope",
    .handle = sandbox_files_api,
    .methods = "GET POST PUT",
    .raw_body = true,
    .streams = true);
