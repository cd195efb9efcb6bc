/*
 * sandbox_lovable_ai: stand-in for the AI gateway, which speaks OpenAI's protocol and names models with their
 * vendor. It checks what the real one checks and answers with a summary of what it was asked, so that a
 * conversation with it is the same every time.
 */
#include "lib/sandbox_openai.h"

#define IMAGE_MODEL "google/gemini-2.5-flash-image"

static const char *const chat_models[] = { "google/gemini-2.5-flash", "google/gemini-2.5-flash-lite",
    "google/gemini-2.5-pro", "openai/gpt-5", "openai/gpt-5-mini", IMAGE_MODEL, NULL };
static const char *const speech_models[] = { "openai/gpt-4o-mini-transcribe", "openai/gpt-4o-transcribe",
    NULL };

static const struct sandbox_openai service = {
    .provider = "lovable_ai",
    .key_variable = "LOVABLE_API_KEY",
    .chat_models = chat_models,
    .speech_models = speech_models,
    .image_model = IMAGE_MODEL,
};

static json_t *sandbox_gateway(edge_ctx *ctx, json_t *in)
{
    (void)in;
    return sandbox_openai_handle(ctx, &service);
}

EDGE_FUNCTION(sandbox_lovable_ai,
    .summary = "Stand-in for the AI gateway",
    .handle = sandbox_gateway,
    .methods = "GET POST",
    .raw_body = true,
    .streams = true);
