/*
 * Pages and Instagram accounts at Meta's stand-in. A user has one Page, 111, with one Instagram account, 1784.
 *
 * Shapes: https://developers.facebook.com/docs/pages-api/posts, .../docs/graph-api/reference/page/photos,
 * .../docs/instagram-platform/content-publishing, .../docs/graph-api/reference/page/insights and
 * .../docs/instagram-platform/api-reference/instagram-user/insights.
 */
#include "lib/sandbox_meta.h"

#include <string.h>

#define PAGE "111"
#define ACCOUNT "1784"
#define DAY_SECONDS 86400

/* Sent to a Page's insights, each of these makes the whole call fail since 2025-11-15. */
static const char *const withdrawn[] = { "page_impressions", "page_fans", NULL };
static const char *const account_metrics[] = { "reach", "views", "accounts_engaged", "total_interactions",
    "profile_links_taps", "likes", "comments", "shares", "saves", "replies", "follows_and_unfollows",
    "profile_views", NULL };

static bool is_one_of(const char *const *names, const char *name)
{
    for (; *names != NULL; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

/* A number that no other request has. */
static const char *number(edge_ctx *ctx)
{
    uint64_t random;
    edge_random(&random, sizeof random);
    return edge_format(ctx, "18%015llu", (unsigned long long)(random % 1000000000000000ULL));
}

static json_t *accounts(edge_ctx *ctx)
{
    json_t *page = json_pack("{s:s, s:s}", "id", PAGE, "name", "Sandbox Realty");
    if (sandbox_meta_wants(ctx, "access_token"))
        json_object_set_new(page, "access_token", json_string("page-token-" PAGE));
    if (sandbox_meta_wants(ctx, "instagram_business_account"))
        json_object_set_new(page, "instagram_business_account",
            json_pack("{s:s, s:s}", "id", ACCOUNT, "username", "sandbox.realty"));
    return json_pack(
        "{s:[o], s:{s:{s:s, s:s}}}", "data", page, "paging", "cursors", "before", "QVFI", "after", "QVFI");
}

static json_t *node(edge_ctx *ctx, const char *id)
{
    json_t *found = json_pack("{s:s}", "id", id);
    const struct {
        const char *field;
        json_t *value;
    } members[] = {
        { "access_token", json_string(edge_format(ctx, "page-token-%s", id)) },
        { "status_code", json_string("FINISHED") },
        { "status", json_string("Finished: Media has been uploaded and it is ready to be published.") },
        { "permalink", json_string(edge_format(ctx, "https://www.instagram.com/p/%s/", id)) },
        { "followers_count", json_integer(1250) },
        { "username", json_string("sandbox.realty") },
    };
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (sandbox_meta_wants(ctx, members[i].field))
            json_object_set(found, members[i].field, members[i].value);
    return found;
}

/* A Page's post needs the Page's token (https://developers.facebook.com/docs/pages-api/posts: permissions). */
static json_t *check_page_token(edge_ctx *ctx, const struct meta_request *request)
{
    return strncmp(request->token, "page-token-", 11) == 0
               ? NULL
               : sandbox_meta_error(
                     ctx, 403, 200, "(#200) The permission(s) pages_manage_posts are not available");
}

static json_t *publish_feed(edge_ctx *ctx, const struct meta_request *request, const char *id)
{
    json_t *refusal = check_page_token(ctx, request);
    if (refusal != NULL)
        return refusal;
    if (edge_json_text(request->body, "message") == NULL && edge_json_text(request->body, "link") == NULL)
        return sandbox_meta_error(ctx, 400, 100, "(#100) Missing message or attachment");
    return json_pack("{s:s}", "id", edge_format(ctx, "%s_%s", id, number(ctx)));
}

static json_t *publish_photo(edge_ctx *ctx, const struct meta_request *request, const char *id)
{
    json_t *refusal = check_page_token(ctx, request);
    if (refusal != NULL)
        return refusal;
    if (edge_json_text(request->body, "url") == NULL)
        return sandbox_meta_error(ctx, 400, 324, "(#324) Requires upload file");
    const char *photo = number(ctx);
    json_t *answer = json_pack("{s:s}", "id", photo);
    if (edge_json_bool(request->body, "published", true))
        json_object_set_new(answer, "post_id", json_string(edge_format(ctx, "%s_%s", id, photo)));
    return answer;
}

static json_t *create_container(edge_ctx *ctx, const struct meta_request *request)
{
    return edge_json_text(request->body, "image_url") != NULL
               ? json_pack("{s:s}", "id", number(ctx))
               : sandbox_meta_error(ctx, 400, 9004, "The media could not be fetched from this URI");
}

static json_t *publish_container(edge_ctx *ctx, const struct meta_request *request)
{
    return edge_json_text(request->body, "creation_id") != NULL
               ? json_pack("{s:s}", "id", number(ctx))
               : sandbox_meta_error(ctx, 400, 100, "(#100) The parameter creation_id is required");
}

/* Two days of a metric, the later one with an end in the middle of the window. */
static json_t *daily(edge_ctx *ctx, const char *name)
{
    int64_t now = edge_now(ctx);
    json_t *days = json_array();
    for (int64_t i = 2; i >= 1; i--)
        json_array_append_new(days, json_pack("{s:i, s:s}", "value", (int)(10 * i), "end_time",
                                        edge_iso_time(ctx, now - i * DAY_SECONDS * INT64_C(1000000))));
    return json_pack("{s:s, s:s, s:o}", "name", name, "period", "day", "values", days);
}

static json_t *total(const char *name)
{
    return json_pack("{s:s, s:s, s:{s:i}}", "name", name, "period", "day", "total_value", "value", 42);
}

static json_t *insights(edge_ctx *ctx)
{
    const char *metrics = edge_request_query(ctx, "metric"), *type = edge_request_query(ctx, "metric_type");
    bool of_account = type != NULL && strcmp(type, "total_value") == 0;
    json_t *data = json_array();
    for (size_t length; metrics != NULL && *metrics != '\0'; metrics += length + (metrics[length] == ',')) {
        length = strcspn(metrics, ",");
        const char *name = edge_copy_bytes(ctx, metrics, length);
        if (is_one_of(withdrawn, name) || (of_account && !is_one_of(account_metrics, name)))
            return sandbox_meta_error(ctx, 400, 100, "(#100) The value must be a valid insights metric");
        json_array_append_new(data, of_account ? total(name) : daily(ctx, name));
    }
    return json_array_size(data) > 0
               ? json_pack("{s:o}", "data", data)
               : sandbox_meta_error(ctx, 400, 100, "(#100) No metric was specified to be fetched");
}

json_t *sandbox_meta_pages(edge_ctx *ctx, const struct meta_request *request)
{
    bool get = strcmp(request->method, "GET") == 0;
    if (strcmp(request->path, "/me/accounts") == 0)
        return accounts(ctx);

    size_t digits = strspn(request->path + 1, "0123456789");
    const char *id = edge_copy_bytes(ctx, request->path + 1, digits), *edge = request->path + 1 + digits;
    if (digits == 0)
        return NULL;
    if (get && edge[0] == '\0')
        return node(ctx, id);
    if (get && strcmp(edge, "/insights") == 0)
        return insights(ctx);
    if (get)
        return NULL;
    if (strcmp(edge, "/feed") == 0)
        return publish_feed(ctx, request, id);
    if (strcmp(edge, "/photos") == 0)
        return publish_photo(ctx, request, id);
    if (strcmp(edge, "/media") == 0)
        return create_container(ctx, request);
    return strcmp(edge, "/media_publish") == 0 ? publish_container(ctx, request) : NULL;
}
