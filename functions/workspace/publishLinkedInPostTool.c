/*
 * publishLinkedInPostTool: publishes a text, a link or a photo on the user's LinkedIn profile.
 *
 * Three round trips to the database: the connection, the log's row, how it ended; one more for a person that
 * was found out. LINKEDIN_IMAGE_TIMEOUT_MS bounds the fetch of a picture (default 8000).
 */
#include <edge/edge.h>

#include <stdlib.h>
#include <string.h>

#include "lib/field.h"
#include "lib/idempotency.h"
#include "lib/linkedin.h"
#include "lib/public_url.h"
#include "lib/text.h"
#include "lib/tool.h"
#include "lib/tool_failure.h"

enum {
    IMAGE_MS = 8000,
    IMAGE_BYTES_MAX = 8 << 20,
};

static const char *const visibilities[] = { "PUBLIC", "CONNECTIONS", NULL };
static const edge_field input[] = {
    { "userId", EDGE_USER, .help = "Whose profile; required under the service key" },
    { "content", EDGE_TEXT, .min = 1, .max = 3000, .required = true, .help = "The post's text" },
    { "imageUrl", EDGE_TEXT, .help = "JPEG, PNG or GIF at a public https URL, up to 8 MiB" },
    { "link", EDGE_TEXT, .help = "Link to share; not together with imageUrl" },
    { "visibility", EDGE_ENUM, .values = visibilities, .fallback = "PUBLIC", .help = "Who sees the post" },
    { "idempotencyKey", EDGE_TEXT, .help = "A repeated request with it makes no second post" },
    { 0 },
};

static const edge_field data_fields[] = {
    { "postId", EDGE_TEXT, .required = true, .help = "LinkedIn's URN" },
    { "postUrl", EDGE_URL, .required = true, .help = "Where to see it" },
    TOOL_MESSAGE_FIELD,
    TOOL_REPLAYED_FIELD,
    { 0 },
};
static const edge_field output[] = TOOL_OUTPUT(data_fields);

/* A picture that is fetched while LinkedIn is asked who the user is. */
struct fetch {
    struct tool *tool;
    const char *url;
    struct linkedin_image image;
};

static json_t *check(edge_ctx *ctx, const json_t *in, const edge_field *field, json_t *value)
{
    if (field_is(field, "content"))
        return field_trimmed(ctx, value);
    if (field_is(field, "imageUrl"))
        return public_url_check_image(ctx, field, value);
    if (!field_is(field, "link"))
        return value;
    if (edge_json_text(in, "imageUrl") != NULL)
        field_fail(ctx, "link", "cannot go together with imageUrl");
    return public_url_check_link(ctx, field, value);
}

static const char *image_type(const char *bytes, size_t length)
{
    if (length >= 3 && memcmp(bytes, "\xff\xd8\xff", 3) == 0)
        return "image/jpeg";
    if (length >= 8 && memcmp(bytes, "\x89PNG\r\n\x1a\n", 8) == 0)
        return "image/png";
    return length >= 6 && (memcmp(bytes, "GIF87a", 6) == 0 || memcmp(bytes, "GIF89a", 6) == 0) ? "image/gif"
                                                                                               : NULL;
}

static void *fetch_image(edge_ctx *ctx, void *arg)
{
    struct fetch *fetch = arg;
    const char *limit = edge_env(ctx, "LINKEDIN_IMAGE_TIMEOUT_MS");
    int64_t left = tool_time_left(fetch->tool), most = limit != NULL ? strtoll(limit, NULL, 10) : IMAGE_MS;
    if (fetch->url == NULL || left == 0)
        return NULL;
    edge_reply *reply = edge_try_fetch_public(ctx, "document_fetch", .url = fetch->url,
        .timeout_ms = left < most ? left : most, .max_bytes = IMAGE_BYTES_MAX);
    bool fetched = reply->failure == EDGE_HTTP_OK && reply->status >= 200 && reply->status <= 299;
    if (fetched)
        fetch->image =
            (struct linkedin_image){ reply->body, reply->length, image_type(reply->body, reply->length) };
    return NULL;
}

/* Who posts: as connected, else whom the token belongs to, which is kept. */
static const char *author_of(struct tool *tool)
{
    edge_ctx *ctx = tool->ctx;
    const struct connection *connection = tool->token->connection;
    const char *urn = edge_json_text(connection->settings, "person_urn");
    if (urn != NULL && strncmp(urn, "urn:li:person:", 14) == 0)
        return urn;
    json_t *person = tool_call(
        tool, .provider = "linkedin_api", .path = "/v2/userinfo", .what = "Asking who posts", .reads = true);
    const char *sub = edge_json_text(person, "sub");
    if (sub == NULL || sub[0] == '\0')
        tool_refuse(tool, 409, "reconnect_required", "LinkedIn account not properly connected",
            "Reconnect LinkedIn in Settings > Integrations.");
    urn = edge_format(ctx, "urn:li:person:%s", sub);
    connection_save_settings(connection, json_pack("{s:s}", "person_urn", urn));
    return urn;
}

static const char *upload_image(struct tool *tool, const char *author, const struct fetch *fetch)
{
    if (fetch->url == NULL)
        return NULL;
    if (fetch->image.media_type == NULL)
        tool_refuse(tool, 422, "image_unavailable",
            "The photo cannot be fetched, or is no JPEG, PNG or GIF up to 8 MiB",
            "Check that anybody can open imageUrl, and try again.");
    return linkedin_upload(tool, author, &fetch->image);
}

static json_t *publish_linkedin_post(edge_ctx *ctx, json_t *in)
{
    const char *key = idempotency_key(ctx, in), *content = edge_json_text(in, "content");
    const char *link = edge_json_text(in, "link"), *visibility = edge_json_text(in, "visibility");
    struct fetch fetch = { .url = edge_json_text(in, "imageUrl") };
    linkedin_require(ctx);

    struct tool *tool = fetch.tool = tool_begin(ctx, "linkedin");
    json_t *summary = json_pack("{s:I, s:s?, s:s?, s:s}", "contentLength", (json_int_t)text_characters(content),
        "imageUrl", fetch.url, "link", link, "visibility", visibility);
    json_t *done = tool_log(tool, &(const struct tool_work){ "publishLinkedInPost", key, input, in, summary });
    if (done != NULL)
        return tool_answer(done);

    edge_task *fetching = edge_spawn(ctx, fetch_image, &fetch);
    const char *author = author_of(tool);
    edge_await(ctx, fetching);
    const char *post = linkedin_publish(tool, &(const struct linkedin_post){
                                                  .author = author,
                                                  .content = content,
                                                  .link = link,
                                                  .visibility = visibility,
                                                  .image = upload_image(tool, author, &fetch),
                                              });
    const char *url = edge_format(ctx, "https://www.linkedin.com/feed/update/%s/", post);
    return tool_succeed(tool,
        json_pack("{s:s, s:s, s:s}", "postId", post, "postUrl", url, "message", "Published the post"), url);
}

EDGE_FUNCTION(publishLinkedInPostTool,
    .summary = "Publishes a post on the user's LinkedIn profile",
    .input = input,
    .check = check,
    .output = output,
    .shape = &tool_shape,
    .handle = publish_linkedin_post);
