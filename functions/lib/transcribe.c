/*
 * Transcriptions (https://platform.openai.com/docs/api-reference/audio/createTranscription).
 */
#include "lib/transcribe.h"

#include "lib/completion.h"
#include "lib/gateway.h"

enum {
    TOTAL_MS = 60000,
};

#define GATEWAY_MODEL "openai/gpt-4o-mini-transcribe"
#define OPENAI_MODEL "whisper-1"

static edge_reply *ask(
    edge_ctx *ctx, const char *provider, const char *model, const struct recording *recording)
{
    const edge_form_part parts[] = {
        { "file", .data = recording->data, .length = recording->length, .filename = recording->filename,
            .content_type = recording->media_type },
        { "model", .text = model },
        { "language", .text = recording->language },
        { "response_format", .text = "json" },
        { 0 },
    };
    return edge_try_fetch(ctx, provider, .method = "POST", .path = "/v1/audio/transcriptions", .parts = parts,
        .timeout_ms = TOTAL_MS, .first_byte_timeout_ms = TOTAL_MS, .retries = -1, .repeatable = true);
}

/* The gateway does not offer it, as opposed to having failed. */
static bool is_not_offered(const edge_reply *reply)
{
    return reply->failure == EDGE_HTTP_OK &&
           (reply->status == 404 || reply->status == 405 || reply->status == 501);
}

static edge_reply *ask_somebody(edge_ctx *ctx, const struct recording *recording)
{
    bool openai = edge_env(ctx, "OPENAI_API_KEY") != NULL;
    if (edge_env(ctx, "LOVABLE_API_KEY") == NULL && openai)
        return ask(ctx, "openai", OPENAI_MODEL, recording);

    gateway_require_key(ctx);
    const char *model = edge_env(ctx, "STT_MODEL");
    edge_reply *reply = ask(ctx, "lovable_ai", model != NULL ? model : GATEWAY_MODEL, recording);
    return is_not_offered(reply) && openai ? ask(ctx, "openai", OPENAI_MODEL, recording) : reply;
}

const char *transcribe_recording(edge_ctx *ctx, const struct recording *recording)
{
    edge_reply *reply = ask_somebody(ctx, recording);
    const struct gateway_failure *failure = gateway_reply_failure(ctx, reply);
    if (failure != NULL)
        gateway_fail(ctx, failure);
    const char *text = edge_json_text(reply->json, "text");
    if (text == NULL)
        gateway_fail(ctx, &gateway_unusable);
    return completion_trim(ctx, text);
}
