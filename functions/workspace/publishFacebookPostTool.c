/*
 * publishFacebookPostTool: publishes a text, a link or a photo on the user's Facebook Page, now or later
 * (https://developers.facebook.com/docs/pages-api/posts).
 *
 * Three round trips to the database: the connection, the log's row, how it ended. One more each for a time
 * zone, for a scheduled time without an offset, and for a Page that was found out.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/field.h"
#include "lib/idempotency.h"
#include "lib/meta_target.h"
#include "lib/public_url.h"
#include "lib/text.h"
#include "lib/timestamp.h"
#include "lib/tool.h"

enum {
    CONTENT_MAX = 63206,
    AHEAD_MIN = 10 * 60, /* seconds; Meta's own limits */
    AHEAD_MAX = 30 * 24 * 3600,
};

static const edge_field input[] = {
    { "userId", EDGE_USER, .help = "Whose Page; required under the service key" },
    { "content", EDGE_TEXT, .min = 1, .max = CONTENT_MAX, .required = true, .help = "The post's text" },
    { "link", EDGE_TEXT, .help = "Link to share; of a photo it goes below the text" },
    { "imageUrl", EDGE_TEXT, .help = "Photo, a public https URL" },
    { "pageId", EDGE_TEXT, .help = "Page to publish on; absent: the connected one" },
    { "scheduledTime", EDGE_TEXT, .help = "10 minutes to 30 days ahead; without an offset in timeZone" },
    { "timeZone", EDGE_TEXT, .help = "IANA name; absent: the user's" },
    { "idempotencyKey", EDGE_TEXT, .help = "A repeated request with it makes no second post" },
    { 0 },
};

static const edge_field data_fields[] = {
    { "postId", EDGE_TEXT, .required = true, .help = "Facebook's id" },
    { "postUrl", EDGE_URL, .required = true, .help = "Where to see it" },
    TOOL_MESSAGE_FIELD,
    { "pageId", EDGE_TEXT, .required = true, .help = "Page that it is on" },
    { "scheduled", EDGE_BOOL, .required = true, .help = "Whether it appears later" },
    TOOL_REPLAYED_FIELD,
    { 0 },
};
static const edge_field output[] = TOOL_OUTPUT(data_fields);

static json_t *check(edge_ctx *ctx, const json_t *in, const edge_field *field, json_t *value)
{
    (void)in;
    if (field_is(field, "content"))
        return field_trimmed(ctx, value);
    if (field_is(field, "link"))
        return public_url_check_link(ctx, field, value);
    if (field_is(field, "imageUrl"))
        return public_url_check_image(ctx, field, value);
    if (field_is(field, "pageId"))
        return meta_check_id(ctx, field, value);
    if (field_is(field, "scheduledTime"))
        timestamp_read(ctx, field->name, json_string_value(value));
    return field_is(field, "timeZone") ? zone_check(ctx, field, value) : value;
}

/* Unix seconds to publish at, 0: now. */
static int64_t scheduled_time(edge_ctx *ctx, const json_t *in)
{
    const char *text = edge_json_text(in, "scheduledTime");
    const char *zone = text != NULL || edge_json_text(in, "timeZone") != NULL ? zone_of(ctx, in) : NULL;
    if (text == NULL)
        return 0;
    struct timestamp time = timestamp_read(ctx, "scheduledTime", text);
    int64_t instant = timestamp_instant(ctx, zone, &time), ahead = instant * 1000000 - edge_now(ctx);
    if (ahead < AHEAD_MIN * INT64_C(1000000) || ahead > AHEAD_MAX * INT64_C(1000000))
        field_fail(ctx, "scheduledTime", "must be 10 minutes to 30 days ahead");
    return instant;
}

/* A photo's text is its caption, and a photo has no link of its own. */
static json_t *post_body(edge_ctx *ctx, const json_t *in, int64_t scheduled)
{
    const char *content = edge_json_text(in, "content"), *link = edge_json_text(in, "link");
    const char *image = edge_json_text(in, "imageUrl");
    json_t *body = image == NULL ? json_pack("{s:s, s:s*}", "message", content, "link", link)
                                 : json_pack("{s:s, s:s}", "url", image, "caption",
                                       link != NULL ? edge_format(ctx, "%s\n\n%s", content, link) : content);
    if (scheduled != 0)
        json_object_update(
            body, json_pack("{s:b, s:I}", "published", 0, "scheduled_publish_time", (json_int_t)scheduled));
    return body;
}

static const char *publish(struct tool *tool, struct meta_target_page page, const json_t *body)
{
    edge_ctx *ctx = tool->ctx;
    const char *kind = json_object_get(body, "url") != NULL ? "photos" : "feed";
    json_t *answer = tool_call(tool, .provider = "meta_graph", .method = "POST", .what = "Publishing the post",
        .path = meta_path(ctx, "/%s/%s", edge_url_encode(ctx, page.id), kind), .json = body,
        .token = page.token, .id = "id");
    const char *post = edge_json_text(answer, "post_id");
    return post != NULL ? post : edge_json_text(answer, "id");
}

static json_t *summary_of(const json_t *in)
{
    return json_pack("{s:s?, s:I, s:s?, s:s?, s:s?}", "pageId", edge_json_text(in, "pageId"), "contentLength",
        (json_int_t)text_characters(edge_json_text(in, "content")), "link", edge_json_text(in, "link"),
        "imageUrl", edge_json_text(in, "imageUrl"), "scheduledTime", edge_json_text(in, "scheduledTime"));
}

static json_t *publish_facebook_post(edge_ctx *ctx, json_t *in)
{
    const char *key = idempotency_key(ctx, in);
    int64_t scheduled = scheduled_time(ctx, in);

    struct tool *tool = tool_begin(ctx, "facebook");
    json_t *summary = summary_of(in);
    json_t *done = tool_log(tool, &(const struct tool_work){ "publishFacebookPost", key, input, in, summary });
    if (done != NULL)
        return tool_answer(done);

    struct meta_target_page page = meta_target_page(tool, edge_json_text(in, "pageId"));
    json_object_set_new(summary, "pageId", json_string(page.id));
    const char *post = publish(tool, page, post_body(ctx, in, scheduled));
    const char *url = edge_format(ctx, "https://www.facebook.com/%s", post);
    return tool_succeed(tool,
        json_pack("{s:s, s:s, s:s, s:s, s:b}", "postId", post, "postUrl", url, "message",
            scheduled != 0 ? "Scheduled the post" : "Published the post", "pageId", page.id, "scheduled",
            scheduled != 0),
        url);
}

EDGE_FUNCTION(publishFacebookPostTool,
    .summary = "Publishes text, a link or a photo on the user's Facebook Page",
    .input = input,
    .check = check,
    .output = output,
    .shape = &tool_shape,
    .handle = publish_facebook_post);
