/*
 * sandbox_openai: stand-in for OpenAI itself, chat completions and transcriptions. Model names have no vendor.
 */
#include "lib/sandbox_openai.h"

static const char *const chat_models[] = { "gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-mini", NULL };
static const char *const speech_models[] = { "whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe", NULL };

static const struct sandbox_openai service = {
    .provider = "openai",
    .key_variable = "OPENAI_API_KEY",
    .chat_models = chat_models,
    .speech_models = speech_models,
};

static json_t *sandbox_openai(edge_ctx *ctx, json_t *in)
{
    (void)in;
    return sandbox_openai_handle(ctx, &service);
}

EDGE_FUNCTION(sandbox_openai,
    .summary = "Stand-in for OpenAI",
    .handle = sandbox_openai,
    .methods = "GET POST",
    .raw_body = true,
    .streams = true);
