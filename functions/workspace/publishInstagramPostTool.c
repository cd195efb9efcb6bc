/*
 * publishInstagramPostTool: publishes a photo on the user's Instagram professional account, in Meta's three
 * steps: a container, waiting until Instagram has fetched the picture, publishing
 * (https://developers.facebook.com/docs/instagram-platform/content-publishing).
 *
 * Three round trips to the database: the connection, the log's row, how it ended; one more for an account that
 * was found out. INSTAGRAM_POLL_MS is the unit of the waits (default 1000).
 */
#include <edge/edge.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/field.h"
#include "lib/idempotency.h"
#include "lib/meta_target.h"
#include "lib/public_url.h"
#include "lib/text.h"
#include "lib/tool.h"
#include "lib/tool_failure.h"

enum {
    POLLS = 6, /* after waits of 0, 1, 2, 3, 4 and 5 units */
    POLL_MS = 1000,
    HASHTAGS_MAX = 30,
    MENTIONS_MAX = 20,
};

static const edge_field input[] = {
    { "userId", EDGE_USER, .help = "Whose account; required under the service key" },
    { "caption", EDGE_TEXT, .min = 1, .max = 2200,
        .help = "Text below the photo, with up to 30 hashtags and 20 mentions; required without containerId" },
    { "imageUrl", EDGE_TEXT, .help = "JPEG at a public https URL, up to 8 MB; required without containerId" },
    { "altText", EDGE_TEXT, .min = 0, .max = 1000, .help = "What the photo shows" },
    { "accountId", EDGE_TEXT, .help = "Instagram account; absent: the connected one" },
    { "containerId", EDGE_TEXT, .help = "Goes on with a container that an earlier request has made" },
    { "idempotencyKey", EDGE_TEXT, .help = "A repeated request with it makes no second post" },
    { 0 },
};

static const edge_field data_fields[] = {
    { "mediaId", EDGE_TEXT, .help = "Instagram's id; null: published before" },
    { "permalink", EDGE_URL, .help = "Where to see it; null: not to be found out" },
    { "containerId", EDGE_TEXT, .required = true, .help = "What it was published from" },
    TOOL_MESSAGE_FIELD,
    { "alreadyPublished", EDGE_BOOL, .help = "true: an earlier request has published the container" },
    TOOL_REPLAYED_FIELD,
    { 0 },
};
static const edge_field output[] = TOOL_OUTPUT(data_fields);

static bool is_word(unsigned char c)
{
    return (isascii(c) && isalnum(c)) || c == '_';
}

static size_t count_hashtags(const char *caption)
{
    size_t count = 0;
    for (const char *c = caption; *c != '\0'; c++)
        count += *c == '#' && (is_word((unsigned char)c[1]) || (unsigned char)c[1] >= 0x80);
    return count;
}

static size_t count_mentions(const char *caption)
{
    size_t count = 0;
    for (const char *c = caption; *c != '\0'; c++) {
        bool begins = c == caption || isspace((unsigned char)c[-1]);
        count += *c == '@' && begins && (is_word((unsigned char)c[1]) || c[1] == '.');
    }
    return count;
}

static json_t *check_caption(edge_ctx *ctx, const edge_field *field, json_t *value)
{
    value = field_trimmed(ctx, value);
    if (count_hashtags(json_string_value(value)) > HASHTAGS_MAX)
        field_fail(ctx, field->name, "must have at most %d hashtags", HASHTAGS_MAX);
    if (count_mentions(json_string_value(value)) > MENTIONS_MAX)
        field_fail(ctx, field->name, "must have at most %d mentions", MENTIONS_MAX);
    return value;
}

static json_t *check(edge_ctx *ctx, const json_t *in, const edge_field *field, json_t *value)
{
    (void)in;
    if (field_is(field, "caption"))
        return check_caption(ctx, field, value);
    if (field_is(field, "imageUrl"))
        return public_url_check_image(ctx, field, value);
    if (field_is(field, "altText"))
        return field_untrimmed(ctx, field, value);
    bool id = field_is(field, "accountId") || field_is(field, "containerId");
    return id ? meta_check_id(ctx, field, value) : value;
}

static void require_post(edge_ctx *ctx, const json_t *in)
{
    if (edge_json_text(in, "containerId") != NULL)
        return;
    if (edge_json_text(in, "caption") == NULL)
        field_fail(ctx, "caption", "is required");
    if (edge_json_text(in, "imageUrl") == NULL)
        field_fail(ctx, "imageUrl", "is required");
}

static const char *create_container(struct tool *tool, const char *account, const json_t *in)
{
    edge_ctx *ctx = tool->ctx;
    json_t *body = json_pack("{s:s, s:s, s:s*}", "image_url", edge_json_text(in, "imageUrl"), "caption",
        edge_json_text(in, "caption"), "alt_text", edge_json_text(in, "altText"));
    json_t *made = tool_call(tool, .provider = "meta_graph", .method = "POST", .what = "Handing over the photo",
        .path = meta_path(ctx, "/%s/media", edge_url_encode(ctx, account)), .json = body, .id = "id");
    return edge_json_text(made, "id");
}

EDGE_NORETURN static void reject_media(struct tool *tool, const char *status)
{
    edge_ctx *ctx = tool->ctx;
    struct tool_failure *failure = tool_failure_new(ctx, 422, "media_rejected",
        edge_format(ctx, "Instagram cannot use the photo: %s",
            status != NULL ? text_cut(ctx, status, 300) : "no reason given"),
        "Use a public JPEG of at most 8 MB, between 4:5 and 1.91:1, and try again.");
    failure->said.extra = json_pack("{s:s?}", "providerCode", status);
    tool_fail(tool, failure);
}

/* True when the container is ready, false when it has been published before. */
static bool await_container(struct tool *tool, const char *container)
{
    edge_ctx *ctx = tool->ctx;
    const char *unit = edge_env(ctx, "INSTAGRAM_POLL_MS");
    int64_t unit_ms = unit != NULL ? strtoll(unit, NULL, 10) : POLL_MS;
    for (int64_t poll = 0; poll < POLLS; poll++) {
        if (poll > 0)
            edge_sleep(ctx, poll * unit_ms);
        json_t *answer =
            tool_call(tool, .provider = "meta_graph", .what = "Asking for the photo", .reads = true,
                .path = meta_path(ctx, "/%s?fields=status_code%%2Cstatus", edge_url_encode(ctx, container)),
                .id = "status_code");
        const char *state = edge_json_text(answer, "status_code");
        if (strcmp(state, "FINISHED") == 0)
            return true;
        if (strcmp(state, "PUBLISHED") == 0)
            return false;
        if (strcmp(state, "ERROR") == 0)
            reject_media(tool, edge_json_text(answer, "status"));
        if (strcmp(state, "EXPIRED") == 0)
            tool_refuse(tool, 422, "container_expired", "Instagram has dropped the photo, it waited too long",
                "Publish it again with caption and imageUrl.");
    }
    tool_refuse(tool, 504, "media_processing_timeout", "Instagram is still fetching the photo",
        "Try again with the containerId in a minute.");
}

static const char *publish(struct tool *tool, const char *account, const char *container)
{
    edge_ctx *ctx = tool->ctx;
    json_t *published =
        tool_call(tool, .provider = "meta_graph", .method = "POST", .what = "Publishing the photo",
            .path = meta_path(ctx, "/%s/media_publish", edge_url_encode(ctx, account)),
            .json = json_pack("{s:s}", "creation_id", container), .id = "id");
    return edge_json_text(published, "id");
}

/* The post is out, so a link that cannot be read is no failure. */
static const char *read_permalink(struct tool *tool, const char *media)
{
    edge_ctx *ctx = tool->ctx;
    return edge_json_text(
        tool_try_call(tool, .provider = "meta_graph", .what = "Reading the link", .reads = true,
            .path = meta_path(ctx, "/%s?fields=permalink", edge_url_encode(ctx, media)))
            .json,
        "permalink");
}

static json_t *summary_of(const json_t *in)
{
    const char *caption = edge_json_text(in, "caption");
    return json_pack("{s:s?, s:I, s:s?, s:s?}", "accountId", edge_json_text(in, "accountId"), "captionLength",
        (json_int_t)(caption != NULL ? text_characters(caption) : 0), "imageUrl",
        edge_json_text(in, "imageUrl"), "containerId", edge_json_text(in, "containerId"));
}

static json_t *publish_instagram_post(edge_ctx *ctx, json_t *in)
{
    const char *key = idempotency_key(ctx, in), *container = edge_json_text(in, "containerId");
    require_post(ctx, in);

    struct tool *tool = tool_begin(ctx, "instagram");
    json_t *summary = summary_of(in);
    json_t *done = tool_log(tool, &(const struct tool_work){ "publishInstagramPost", key, input, in, summary });
    if (done != NULL)
        return tool_answer(done);

    const char *account = meta_target_instagram(tool, edge_json_text(in, "accountId"));
    json_object_set_new(summary, "accountId", json_string(account));
    if (container == NULL)
        container = create_container(tool, account, in);
    json_object_set_new(summary, "containerId", json_string(container));
    tool->extra = json_pack("{s:s}", "containerId", container);

    bool ready = await_container(tool, container);
    const char *media = ready ? publish(tool, account, container) : NULL;
    const char *permalink = ready ? read_permalink(tool, media) : NULL;
    json_t *data = json_pack("{s:s?, s:s?, s:s, s:s}", "mediaId", media, "permalink", permalink, "containerId",
        container, "message", ready ? "Published the photo" : "The photo has been published before");
    if (!ready)
        json_object_set_new(data, "alreadyPublished", json_true());
    return tool_succeed(tool, data, permalink);
}

EDGE_FUNCTION(publishInstagramPostTool,
    .summary = "Publishes a photo on the user's Instagram professional account",
    .input = input,
    .check = check,
    .output = output,
    .shape = &tool_shape,
    .handle = publish_instagram_post);
