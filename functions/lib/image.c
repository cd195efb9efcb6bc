/*
 * Images of the AI gateway: a data URL that is decoded and stored under the acting user's prefix, or a URL that
 * is handed on. Without a store, or when storing fails, the data URL itself is the answer.
 *
 * Round trips to the database: one, to list the stored object.
 */
#include "lib/image.h"

#include "lib/completion.h"
#include "lib/gateway.h"
#include "lib/object.h"

#include <string.h>

#define MODEL "google/gemini-2.5-flash-image"
#define BUCKET "generated-content"

enum {
    TOTAL_MS = 120000,
    URL_SECONDS = 7 * 24 * 3600,
};

static const char *const aspect_ratios[] = { "1:1", "16:9", "9:16", "4:3", "3:4", "4:5", NULL };
static const char *const aspect_ratio_aliases[] = { "aspectRatio", NULL };

const edge_field image_input[] = {
    { "userId", EDGE_USER, .help = "The acting user, under the service key" },
    { "prompt", EDGE_TEXT, .min = 1, .max = 4000, .required = true, .help = "What the image shows" },
    { "style", EDGE_TEXT, .min = 0, .max = 100, .help = "Its style" },
    { "aspect_ratio", EDGE_ENUM, .values = aspect_ratios, .aliases = aspect_ratio_aliases,
        .help = "Its shape" },
    { 0 },
};

static const edge_field data_fields[] = {
    { "imageUrl", EDGE_TEXT, .required = true, .help = "https: for a week, or a data URL" },
    { "url", EDGE_TEXT, .required = true, .help = "The same" },
    { "prompt", EDGE_TEXT, .required = true, .help = "As sent" },
    { "style", EDGE_TEXT, .required = true, .help = "As sent, or default" },
    { "aspectRatio", EDGE_ENUM, .values = aspect_ratios, .help = "As sent" },
    { "mimeType", EDGE_TEXT, .help = "As far as it is known" },
    { "bucket", EDGE_TEXT, .help = "Where it is stored; null: it is not" },
    { "path", EDGE_TEXT, .help = "And under what name" },
    { "message", EDGE_TEXT, .required = true, .help = "A sentence about it" },
    { 0 },
};

const edge_field image_output[] = {
    { "success", EDGE_BOOL, .required = true, .help = "true" },
    { "url", EDGE_TEXT, .required = true, .help = "https: for a week, or a data URL" },
    { "imageUrl", EDGE_TEXT, .required = true, .help = "The same" },
    { "data", EDGE_OBJECT, .fields = data_fields, .required = true, .help = "What was made" },
    { 0 },
};

/* The kinds of image that a data URL may be of. */
static const struct kind {
    const char *media_type, *ending;
} kinds[] = {
    { "image/png", "png" },
    { "image/jpeg", "jpg" },
    { "image/webp", "webp" },
};

/* Where an image is; media_type, bucket and path are NULL when that is not known or not so. */
struct place {
    const char *url, *media_type, *bucket, *path;
};

static json_t *question(edge_ctx *ctx, json_t *in)
{
    const char *style = edge_json_text(in, "style"), *ratio = edge_json_text(in, "aspect_ratio");
    const char *text =
        edge_format(ctx, "%s%s%s%s%s\nThe result should look polished and be fit for property marketing.",
            edge_json_text(in, "prompt"), style != NULL ? "\nStyle: " : "", style != NULL ? style : "",
            ratio != NULL ? "\nAspect ratio: " : "", ratio != NULL ? ratio : "");
    return json_pack("[{s:s, s:s}]", "role", "user", "content", text);
}

/* The image's URL; the gateway's reason when it made none. */
static const char *ask(edge_ctx *ctx, json_t *in)
{
    const struct gateway_ask ask = {
        .model = MODEL,
        .messages = question(ctx, in),
        .settings = json_pack("{s:[ss]}", "modalities", "image", "text"),
        .timeout_ms = TOTAL_MS,
    };
    const struct gateway_answer *answer = completion_ask(ctx, &ask);
    const char *url = edge_json_text(edge_json_path(json_array_get(answer->images, 0), "image_url"), "url");
    if (url != NULL && url[0] != '\0')
        return url;
    if (answer->finish_reason != NULL && strcmp(answer->finish_reason, "content_filter") == 0)
        edge_fail(ctx, 422, "provider_rejected", "The AI provider declined to make this image");
    gateway_fail(ctx, &gateway_unusable);
}

/* The kind of a data URL "data:<type>;base64,<bytes>", and where its bytes begin; NULL when it is none of ours.
 */
static const struct kind *kind_of(const char *url, const char **bytes)
{
    if (strncmp(url, "data:", 5) != 0)
        return NULL;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t length = strlen(kinds[i].media_type);
        if (strncmp(url + 5, kinds[i].media_type, length) == 0 &&
            strncmp(url + 5 + length, ";base64,", 8) == 0) {
            *bytes = url + 5 + length + 8;
            return &kinds[i];
        }
    }
    return NULL;
}

static struct place keep(edge_ctx *ctx, const char *url)
{
    const char *text;
    const struct kind *kind = kind_of(url, &text);
    if (kind == NULL && strncmp(url, "https://", 8) == 0)
        return (struct place){ .url = url };

    size_t length = 0;
    const void *bytes = kind != NULL ? edge_base64_decode(ctx, text, &length) : NULL;
    if (bytes == NULL || length == 0)
        gateway_fail(ctx, &gateway_unusable);

    const char *path =
        edge_format(ctx, "%s/images/%s.%s", edge_auth_user(ctx), edge_uuid_v4(ctx), kind->ending);
    if (!object_try_put(ctx, BUCKET, path, bytes, length, kind->media_type))
        return (struct place){ .url = url, .media_type = kind->media_type };
    return (
        struct place){ edge_storage_sign_url(ctx, BUCKET, path, URL_SECONDS), kind->media_type, BUCKET, path };
}

json_t *image_generate(edge_ctx *ctx, json_t *in)
{
    const char *style = edge_json_text(in, "style");
    gateway_require_key(ctx);
    struct place place = keep(ctx, ask(ctx, in));

    json_t *data = json_pack("{s:s, s:s, s:s, s:s, s:s?, s:s?, s:s?, s:s?, s:s}", "imageUrl", place.url, "url",
        place.url, "prompt", edge_json_text(in, "prompt"), "style", style != NULL ? style : "default",
        "aspectRatio", edge_json_text(in, "aspect_ratio"), "mimeType", place.media_type, "bucket", place.bucket,
        "path", place.path, "message", "The image is ready");
    return json_pack(
        "{s:b, s:s, s:s, s:o}", "success", 1, "url", place.url, "imageUrl", place.url, "data", data);
}
