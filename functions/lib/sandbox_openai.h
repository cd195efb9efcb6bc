/*
 * What the stand-ins that speak OpenAI's protocol share (lovable_ai, openai): access, errors, chat completions
 * and transcriptions, as https://platform.openai.com/docs/api-reference describes them.
 *
 * Orders beyond those of sandbox.h:
 *   toolCalls      [{"name", "arguments", "id"?}]: asks for these tools; arguments: an object, or a text as it
 * is images         [url]: of an image model, instead of its own finishReason   instead of "stop" or
 * "tool_calls" text           a transcription's text
 */
#ifndef LIB_SANDBOX_OPENAI_H
#define LIB_SANDBOX_OPENAI_H

#include <edge/edge.h>

/* One of the two services. */
struct sandbox_openai {
    const char *provider, *key_variable;
    const char *const *chat_models, *const *speech_models; /* NULL-terminated */
    const char *image_model;                               /* NULL: none */
};

/* Answers with an error in OpenAI's shape: an object under "error". param may be NULL. */
EDGE_RETURNS_NONNULL json_t *sandbox_openai_refuse(
    edge_ctx *ctx, int status, const char *type, const char *param, const char *message);

/* Receives the request, and answers whatever it asks for; the whole of a stand-in's handler. */
json_t *sandbox_openai_handle(edge_ctx *ctx, const struct sandbox_openai *service);

bool sandbox_openai_is_model(const char *const *models, const char *name);

/* POST /v1/chat/completions: what is wrong with the question (NULL: nothing), and the answer. */
json_t *sandbox_chat_check(edge_ctx *ctx, const struct sandbox_openai *service, json_t *request);
json_t *sandbox_chat_answer(
    edge_ctx *ctx, const struct sandbox_openai *service, json_t *order, json_t *request);

/* What the model asks tools for, NULL when it answers with text: ordered, forced, or written in the prompt. */
json_t *sandbox_chat_tool_calls(edge_ctx *ctx, json_t *order, json_t *request);

/* POST /v1/audio/transcriptions. */
json_t *sandbox_speech_answer(edge_ctx *ctx, const struct sandbox_openai *service, json_t *order);

#endif
