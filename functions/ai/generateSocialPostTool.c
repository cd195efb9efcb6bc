/*
 * generateSocialPostTool: one ready post for a platform, its hashtags in order. The page saves it and handles
 * credits; no database here.
 */
#include <edge/edge.h>

#include <string.h>
#include <strings.h>

#include "lib/completion.h"
#include "lib/hashtags.h"
#include "lib/prompts.h"
#include "lib/text.h"

static const char *const platforms[] = { "facebook", "instagram", "linkedin", "twitter", "x", "threads",
    "tiktok", NULL };
static const char *const tones[] = { "professional", "casual", "educational", "promotional", NULL };

static const edge_field input[] = {
    { "userId", EDGE_USER, .help = "The acting user, under the service key" },
    { "topic", EDGE_TEXT, .min = 0, .max = 2000, .help = "What the post is about; this or prompt" },
    { "prompt", EDGE_TEXT, .min = 0, .max = 4000, .help = "What to write; with topic, further instructions" },
    { "platform", EDGE_TEXT, .fallback = "facebook",
        .help = "facebook, instagram, linkedin, twitter, x, threads or tiktok, in any case" },
    { "tone", EDGE_ENUM, .values = tones, .fallback = "professional", .help = "How it sounds" },
    { "contentType", EDGE_TEXT, .min = 0, .max = 64, .fallback = "social post",
        .help = "What kind of content" },
    { "includeHashtags", EDGE_BOOL, .fallback = "true", .help = "Whether hashtags are wanted" },
    { 0 },
};

static const edge_field hashtag = { .type = EDGE_TEXT };

static const edge_field output[] = {
    { "success", EDGE_BOOL, .required = true, .help = "true" },
    { "content", EDGE_TEXT, .required = true, .help = "The post, with its hashtags" },
    { "hashtags", EDGE_ARRAY, .items = &hashtag, .required = true, .help = "Each with #" },
    { "callToAction", EDGE_TEXT, .help = "What the reader is asked to do" },
    { "platform", EDGE_ENUM, .values = platforms, .required = true, .help = "What it was written for" },
    { 0 },
};

EDGE_NORETURN static void refuse(edge_ctx *ctx, const char *field, const char *message)
{
    edge_fail_with(ctx, 400, "invalid_input", .message = message, .field = field);
}

static const char *platform_of(edge_ctx *ctx, json_t *in)
{
    for (const char *const *known = platforms; *known != NULL; known++)
        if (strcasecmp(*known, edge_json_text(in, "platform")) == 0)
            return *known;
    refuse(
        ctx, "platform", "platform must be one of facebook, instagram, linkedin, twitter, x, threads, tiktok");
}

static const char *system_message(edge_ctx *ctx, json_t *in, const char *platform)
{
    bool hashtags = edge_json_bool(in, "includeHashtags", true);
    return edge_format(ctx, "%s\nContent type: %s\nPlatform: %s\nTone: %s\n%s\n", prompt_social_post,
        edge_json_text(in, "contentType"), platform, edge_json_text(in, "tone"),
        hashtags ? "Give fitting hashtags, apart from the text." : "Use no hashtags.");
}

static const char *order(edge_ctx *ctx, const char *topic, const char *prompt)
{
    if (topic == NULL)
        return prompt;
    if (prompt == NULL)
        return edge_format(ctx, "Topic: %s", topic);
    return edge_format(ctx, "Topic: %s\n\nFurther instructions: %s", topic, prompt);
}

static json_t *post_schema(void)
{
    return json_pack("{s:s, s:{s:{s:s, s:s}, s:{s:s, s:{s:s}, s:s}, s:{s:s, s:s}}, s:[s], s:b}", "type",
        "object", "properties", "content", "type", "string", "description", "The post's text, without hashtags",
        "hashtags", "type", "array", "items", "type", "string", "description", "Hashtags", "callToAction",
        "type", "string", "description", "What the reader is asked to do", "required", "content",
        "additionalProperties", 0);
}

/* The hashtags that the text does not have yet, behind a blank line. */
static const char *with_hashtags(edge_ctx *ctx, const char *content, json_t *hashtags)
{
    struct text out = { .ctx = ctx };
    text_add(&out, content);
    const char *between = "\n\n";
    for (size_t i = 0; i < json_array_size(hashtags); i++) {
        const char *tag = json_string_value(json_array_get(hashtags, i));
        if (hashtags_in_text(content, tag))
            continue;
        text_add(&out, between);
        text_add(&out, tag);
        between = " ";
    }
    return text_value(&out);
}

static json_t *generate(edge_ctx *ctx, json_t *in)
{
    const char *topic = edge_json_text(in, "topic"), *prompt = edge_json_text(in, "prompt");
    if (topic == NULL && prompt == NULL)
        refuse(ctx, "topic", "topic is required");
    const char *platform = platform_of(ctx, in);
    gateway_require_key(ctx);

    const struct gateway_ask ask = {
        .messages = completion_messages(system_message(ctx, in, platform), order(ctx, topic, prompt)),
        .settings = completion_forced_call("generate_social_post", "Hands in the post", post_schema()),
    };
    json_t *post = completion_arguments(ctx, completion_ask(ctx, &ask));
    const char *text = edge_json_text(post, "content");
    const char *content = completion_trim(ctx, text != NULL ? text : "");
    if (content[0] == '\0')
        gateway_fail(ctx, &gateway_unusable);

    bool wanted = edge_json_bool(in, "includeHashtags", true);
    json_t *hashtags = wanted ? hashtags_clean(ctx, json_object_get(post, "hashtags")) : json_array();
    return json_pack("{s:b, s:s, s:o, s:s?, s:s}", "success", 1, "content",
        with_hashtags(ctx, content, hashtags), "hashtags", hashtags, "callToAction",
        edge_json_text(post, "callToAction"), "platform", platform);
}

EDGE_FUNCTION(generateSocialPostTool,
    .summary = "One ready post for a social-media platform",
    .input = input,
    .output = output,
    .handle = generate,
    .shape = &completion_shape,
    .trims = true);
