/*
 * sandbox_linkedin_api: stand-in for LinkedIn's API: who a token belongs to, posts by the UGC and by the
 * versioned Posts API, and where pictures are uploaded to.
 *
 * Shapes: https://learn.microsoft.com/en-us/linkedin/consumer/integrations/self-serve/share-on-linkedin,
 * https://learn.microsoft.com/en-us/linkedin/marketing/community-management/shares/posts-api and
 * .../images-api; errors: https://learn.microsoft.com/en-us/linkedin/shared/api-guide/concepts/error-handling.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/sandbox.h"
#include "lib/sandbox_access.h"

#define UPLOAD_MECHANISM "com.linkedin.digitalmedia.uploading.MediaUploadHttpRequest"

static json_t *refuse(edge_ctx *ctx, int status, int code, const char *message)
{
    edge_response_status(ctx, status);
    return json_pack("{s:i, s:i, s:s}", "status", status, "serviceErrorCode", code, "message", message);
}

static const char *urn(edge_ctx *ctx, const char *kind)
{
    return edge_format(ctx, "urn:li:%s:%.19s", kind, edge_request_id(ctx));
}

static bool is_author(const char *author)
{
    return author != NULL && strncmp(author, "urn:li:person:", 14) == 0;
}

/* The restli header asks for keys and errors as 2.0.0 writes them; without it ugcPosts is refused. */
static json_t *check_restli(edge_ctx *ctx)
{
    const char *version = edge_request_header(ctx, "x-restli-protocol-version");
    return version != NULL && strcmp(version, "2.0.0") == 0
               ? NULL
               : refuse(ctx, 400, 100, "Invalid version format. Expected format x.x.x");
}

static json_t *check_version(edge_ctx *ctx)
{
    const char *version = edge_request_header(ctx, "linkedin-version");
    return version != NULL && strlen(version) == 6 && strspn(version, "0123456789") == 6
               ? NULL
               : refuse(ctx, 400, 0,
                     "A version must be present. Please specify a version by adding the "
                     "LinkedIn-Version header.");
}

static json_t *ugc_post(edge_ctx *ctx, json_t *request)
{
    json_t *content =
        json_object_get(json_object_get(request, "specificContent"), "com.linkedin.ugc.ShareContent");
    const char *category = edge_json_text(content, "shareMediaCategory");
    bool has_media = json_array_size(json_object_get(content, "media")) > 0;
    if (!is_author(edge_json_text(request, "author")))
        return refuse(
            ctx, 422, 100, "ERROR :: /author :: field is required but not found and has no default value");
    if (category == NULL || (strcmp(category, "NONE") != 0) != has_media)
        return refuse(ctx, 422, 100, "ERROR :: /specificContent :: media does not fit shareMediaCategory");

    const char *post = urn(ctx, "share");
    edge_response_status(ctx, 201);
    edge_response_header(ctx, "x-restli-id", post);
    return json_pack("{s:s}", "id", post);
}

static json_t *rest_post(edge_ctx *ctx, json_t *request)
{
    if (!is_author(edge_json_text(request, "author")) || edge_json_text(request, "commentary") == NULL ||
        json_object_get(request, "distribution") == NULL)
        return refuse(ctx, 422, 100, "Unprocessable Entity: required fields are missing");
    edge_response_status(ctx, 201);
    edge_response_header(ctx, "x-restli-id", urn(ctx, "share"));
    edge_respond_bytes(ctx, "text/plain", "", 0);
    return NULL;
}

static json_t *register_upload(edge_ctx *ctx, json_t *request)
{
    json_t *asked = json_object_get(request, "registerUploadRequest");
    if (!is_author(edge_json_text(asked, "owner")) || json_array_size(json_object_get(asked, "recipes")) != 1)
        return refuse(ctx, 422, 100, "registerUploadRequest is malformed");
    json_t *mechanism = json_pack("{s:{s:s, s:{}}}", UPLOAD_MECHANISM, "uploadUrl",
        "https://api.linkedin.com/mediaUpload/C5522AQGTYER3k3ByHQ/feedshare-uploadedImage/0?ca=vector",
        "headers");
    return json_pack(
        "{s:{s:s, s:o}}", "value", "asset", urn(ctx, "digitalmediaAsset"), "uploadMechanism", mechanism);
}

static json_t *initialize_upload(edge_ctx *ctx, json_t *request)
{
    if (!is_author(edge_json_text(json_object_get(request, "initializeUploadRequest"), "owner")))
        return refuse(ctx, 422, 100, "initializeUploadRequest is malformed");
    return json_pack("{s:{s:I, s:s, s:s}}", "value", "uploadUrlExpiresAt",
        (json_int_t)(edge_now(ctx) / 1000 + 86400000), "uploadUrl",
        "https://www.linkedin.com/dms-uploads/sp/v2/D5610AQFnPKa1J0PMcQ/uploaded-image/0?sau=aHR0", "image",
        urn(ctx, "image"));
}

/* Uploads to api.linkedin.com come to its own base. */
static json_t *upload(edge_ctx *ctx)
{
    size_t length;
    edge_request_body(ctx, &length);
    edge_response_status(ctx, length > 0 ? 201 : 400);
    edge_respond_bytes(ctx, "text/plain", "", 0);
    return NULL;
}

static json_t *answer(edge_ctx *ctx, const char *method, const char *path, json_t *request)
{
    bool post = strcmp(method, "POST") == 0;
    if (strcmp(method, "PUT") == 0 && strncmp(path, "/mediaUpload/", 13) == 0)
        return upload(ctx);
    if (!post && strcmp(path, "/v2/userinfo") == 0)
        return json_pack("{s:s, s:s, s:s}", "sub", "782bbtaQ", "name", "Sandbox Agent", "email",
            "agent.sandbox@example.com");
    if (!post || !json_is_object(request))
        return refuse(ctx, 404, 0, "No virtual resource found");

    bool is_versioned = strncmp(path, "/rest/", 6) == 0;
    json_t *refusal = check_restli(ctx);
    if (refusal == NULL && is_versioned)
        refusal = check_version(ctx);
    if (refusal != NULL)
        return refusal;
    if (strcmp(path, "/v2/ugcPosts") == 0)
        return ugc_post(ctx, request);
    if (strcmp(path, "/v2/assets") == 0)
        return register_upload(ctx, request);
    if (strcmp(path, "/rest/posts") == 0)
        return rest_post(ctx, request);
    if (strcmp(path, "/rest/images") == 0)
        return initialize_upload(ctx, request);
    return refuse(ctx, 404, 0, "No virtual resource found");
}

static json_t *sandbox_linkedin_api(edge_ctx *ctx, json_t *in)
{
    (void)in;
    json_t *order = sandbox_receive(ctx, "linkedin_api");
    if (sandbox_has_answer(order))
        return sandbox_answer(ctx, order);
    if (sandbox_token(ctx) == NULL)
        return refuse(ctx, 401, 65600, "Invalid access token");
    return answer(ctx, edge_request_method(ctx), edge_request_rest(ctx), sandbox_body(ctx));
}

EDGE_FUNCTION(sandbox_linkedin_api,
    .summary = "Stand-in for LinkedIn's API",
    .handle = sandbox_linkedin_api,
    .methods = "GET POST PUT",
    .raw_body = true,
    .streams = true);
