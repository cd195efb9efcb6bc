/*
 * Posts and pictures at LinkedIn.
 */
#include "lib/linkedin.h"

#include <string.h>

#include "lib/text.h"
#include "lib/tool_failure.h"

#define MECHANISM "com.linkedin.digitalmedia.uploading.MediaUploadHttpRequest"
#define RESTLI                                                                                                 \
    {                                                                                                          \
        "X-Restli-Protocol-Version", "2.0.0"                                                                   \
    }

static bool is_versioned(edge_ctx *ctx)
{
    const char *api = edge_env(ctx, "LINKEDIN_POSTS_API");
    return api != NULL && strcmp(api, "rest") == 0;
}

void linkedin_require(edge_ctx *ctx)
{
    if (is_versioned(ctx))
        edge_env_required(ctx, "LINKEDIN_VERSION");
}

static const edge_header *headers_of(edge_ctx *ctx)
{
    edge_header *headers = edge_alloc(ctx, 3 * sizeof *headers);
    headers[0] = (edge_header)RESTLI;
    if (is_versioned(ctx))
        headers[1] = (edge_header){ "LinkedIn-Version", edge_env(ctx, "LINKEDIN_VERSION") };
    return headers;
}

EDGE_NORETURN static void fail_bad_answer(struct tool *tool, const char *message)
{
    tool_refuse(
        tool, 502, "provider_bad_response", message, "Look at LinkedIn whether it has worked, else try again.");
}

static json_t *ugc_body(const struct linkedin_post *post)
{
    const char *category = post->image != NULL ? "IMAGE" : post->link != NULL ? "ARTICLE" : "NONE";
    json_t *content =
        json_pack("{s:{s:s}, s:s}", "shareCommentary", "text", post->content, "shareMediaCategory", category);
    if (post->image != NULL)
        json_object_set_new(
            content, "media", json_pack("[{s:s, s:s}]", "status", "READY", "media", post->image));
    else if (post->link != NULL)
        json_object_set_new(
            content, "media", json_pack("[{s:s, s:s}]", "status", "READY", "originalUrl", post->link));
    return json_pack("{s:s, s:s, s:{s:o}, s:{s:s}}", "author", post->author, "lifecycleState", "PUBLISHED",
        "specificContent", "com.linkedin.ugc.ShareContent", content, "visibility",
        "com.linkedin.ugc.MemberNetworkVisibility", post->visibility);
}

/* Characters that mean something in "little text" (.../shares/little-text-format). */
static const char *escaped(edge_ctx *ctx, const char *content)
{
    char *text = edge_alloc(ctx, 2 * strlen(content) + 1), *end = text;
    for (; *content != '\0'; *end++ = *content++)
        if (strchr("\\|{}@[]()<>#*_~", *content) != NULL)
            *end++ = '\\';
    return text;
}

static json_t *rest_body(edge_ctx *ctx, const struct linkedin_post *post)
{
    json_t *body = json_pack("{s:s, s:s, s:s, s:{s:s, s:[], s:[]}, s:s, s:b}", "author", post->author,
        "commentary", escaped(ctx, post->content), "visibility", post->visibility, "distribution",
        "feedDistribution", "MAIN_FEED", "targetEntities", "thirdPartyDistributionChannels", "lifecycleState",
        "PUBLISHED", "isReshareDisabledByAuthor", 0);
    if (post->image != NULL)
        json_object_set_new(body, "content", json_pack("{s:{s:s}}", "media", "id", post->image));
    else if (post->link != NULL)
        json_object_set_new(
            body, "content", json_pack("{s:{s:s, s:s}}", "article", "source", post->link, "title", post->link));
    return body;
}

const char *linkedin_publish(struct tool *tool, const struct linkedin_post *post)
{
    edge_ctx *ctx = tool->ctx;
    bool versioned = is_versioned(ctx);
    struct tool_result result = tool_try_call(tool, .provider = "linkedin_api", .method = "POST",
        .path = versioned ? "/rest/posts" : "/v2/ugcPosts", .what = "Publishing the post", .any_answer = true,
        .json = versioned ? rest_body(ctx, post) : ugc_body(post), .headers = headers_of(ctx));
    if (result.failure != NULL)
        tool_fail(tool, result.failure);
    const char *urn = edge_json_text(result.json, "id");
    if (urn == NULL || urn[0] == '\0')
        urn = edge_reply_header(ctx, result.reply, "x-restli-id");
    if (urn == NULL || urn[0] == '\0')
        fail_bad_answer(tool, "Publishing the post failed: the answer does not name it");
    return urn;
}

/* Where a picture goes, and its URN. */
struct upload {
    const char *url, *urn;
};

static struct upload register_upload(struct tool *tool, const char *owner)
{
    edge_ctx *ctx = tool->ctx;
    bool versioned = is_versioned(ctx);
    json_t *body =
        versioned ? json_pack("{s:{s:s}}", "initializeUploadRequest", "owner", owner)
                  : json_pack("{s:{s:[s], s:s, s:[{s:s, s:s}]}}", "registerUploadRequest", "recipes",
                        "urn:li:digitalmediaRecipe:feedshare-image", "owner", owner, "serviceRelationships",
                        "relationshipType", "OWNER", "identifier", "urn:li:userGeneratedContent");
    json_t *answer =
        tool_call(tool, .provider = "linkedin_api", .method = "POST", .what = "Preparing the upload",
            .path = versioned ? "/rest/images?action=initializeUpload" : "/v2/assets?action=registerUpload",
            .json = body, .headers = headers_of(ctx));
    json_t *value = json_object_get(answer, "value");
    json_t *mechanism = json_object_get(json_object_get(value, "uploadMechanism"), MECHANISM);
    struct upload upload = { edge_json_text(versioned ? value : mechanism, "uploadUrl"),
        edge_json_text(value, versioned ? "image" : "asset") };
    if (upload.url == NULL || upload.urn == NULL)
        fail_bad_answer(tool, "Preparing the upload failed: the answer does not say where to");
    return upload;
}

/* The path of a URL at a host that has a provider of its own; NULL when it is at another one. */
static const char *path_at(const char *url, const char *host)
{
    size_t length = strlen(host);
    const char *start = url + strlen("https://");
    return strncasecmp(start, host, length) == 0 && start[length] == '/' ? start + length : NULL;
}

static struct tool_call upload_call(struct tool *tool, const char *url)
{
    struct tool_call call = { .provider = "linkedin_upload", .url = url };
    if (strncasecmp(url, "https://", 8) != 0)
        fail_bad_answer(tool, "Preparing the upload failed: it would go to another place than LinkedIn");
    if ((call.path = path_at(url, "api.linkedin.com")) != NULL)
        call.provider = "linkedin_api";
    else if ((call.path = path_at(url, "www.linkedin.com")) != NULL)
        call.provider = "linkedin_oauth";
    if (call.path != NULL)
        call.url = NULL;
    else if (!edge_url_is_allowed(tool->ctx, "linkedin_upload", url))
        fail_bad_answer(tool, "Preparing the upload failed: it would go to another place than LinkedIn");
    return call;
}

const char *linkedin_upload(struct tool *tool, const char *owner, const struct linkedin_image *image)
{
    struct upload upload = register_upload(tool, owner);
    struct tool_call call = upload_call(tool, upload.url);
    call.method = "PUT";
    call.what = "Uploading the photo";
    call.body = image->bytes;
    call.length = image->length;
    call.content_type = image->media_type;
    call.any_answer = true;
    tool_call_with(tool, &call);
    return upload.urn;
}
