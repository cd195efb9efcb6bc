/*
 * Text to speech.
 */
#include "lib/speech.h"

#include "lib/text.h"

#include <string.h>

#define PROVIDER "elevenlabs"
#define MODEL "eleven_turbo_v2_5"

enum {
    TOTAL_MS = 60000,
    AUDIO_BYTES = 16 * 1024 * 1024,
};

EDGE_NORETURN static void fail(
    edge_ctx *ctx, int status, const char *code, const char *message, int retry_after_seconds)
{
    edge_fail_with(ctx, status, code, .message = message, .retry_after_seconds = retry_after_seconds,
        .extra = json_pack("{s:s}", "fallback", "text_only"));
}

void speech_require_key(edge_ctx *ctx)
{
    if (edge_env(ctx, "ELEVENLABS_API_KEY") == NULL && edge_env(ctx, "ELEVEN_LABS_API_KEY") == NULL)
        fail(ctx, 503, "not_configured", "Speech is not configured: ELEVENLABS_API_KEY is not set", 0);
}

void speech_fail(edge_ctx *ctx, const edge_reply *reply)
{
    if (reply->failure == EDGE_HTTP_TIMEOUT)
        fail(ctx, 504, "provider_timeout", "The speech provider did not answer in time", 0);
    if (reply->failure == EDGE_HTTP_BREAKER_OPEN)
        fail(ctx, 502, "provider_unreachable",
            "The speech provider has been failing and is not asked for a moment", reply->retry_after_seconds);
    if (reply->failure != EDGE_HTTP_OK)
        fail(ctx, 502, "provider_error", "The speech provider failed to answer", 0);
    fail(ctx, 502, "bad_provider_output", "The speech provider answered without audio", 0);
}

/* A used-up quota comes as 401 with a status of its own. */
EDGE_NORETURN static void refuse(edge_ctx *ctx, const edge_reply *reply)
{
    const char *reason = edge_json_text(json_object_get(reply->json, "detail"), "status");
    edge_log(ctx, EDGE_LOG_WARN, "speech_failed", { "status", edge_int(reply->status) },
        { "detail", edge_text(reply->body != NULL ? text_cut(ctx, reply->body, 500) : NULL) });
    bool used_up = reply->status == 401 && reason != NULL && strcmp(reason, "quota_exceeded") == 0;
    if (used_up || reply->status == 402)
        fail(ctx, 402, "out_of_credits", "The speech provider's account is out of credits", 0);
    if (reply->status == 429)
        fail(ctx, 429, "provider_rate_limited",
            "Rate limit of the speech provider reached (429), try again in a moment",
            reply->retry_after_seconds);
    if (reply->status == 400 || reply->status == 404 || reply->status == 422)
        fail(ctx, 422, "provider_rejected", "The speech provider rejected this request", 0);
    fail(ctx, 502, "provider_error", "The speech provider failed to answer", 0);
}

edge_reply *speech_ask(edge_ctx *ctx, const char *voice, const char *text, bool stream)
{
    static const edge_header headers[] = { { "Accept", "audio/mpeg" }, { 0 } };
    const json_t *body = json_pack("{s:s, s:s, s:{s:f, s:f}}", "text", text, "model_id", MODEL,
        "voice_settings", "stability", 0.5, "similarity_boost", 0.75);
    edge_reply *reply = edge_fetch_stream(ctx, PROVIDER, .method = "POST",
        .path = edge_format(ctx, "/v1/text-to-speech/%s%s", voice, stream ? "/stream" : ""), .json = body,
        .headers = headers, .timeout_ms = TOTAL_MS, .first_byte_timeout_ms = TOTAL_MS,
        .silence_timeout_ms = TOTAL_MS, .retries = -1, .max_bytes = AUDIO_BYTES);
    if (reply->failure != EDGE_HTTP_OK)
        speech_fail(ctx, reply);
    if (reply->status < 200 || reply->status > 299) {
        edge_reply_finish(ctx, reply);
        refuse(ctx, reply);
    }
    return reply;
}
