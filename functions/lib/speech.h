/*
 * Text to speech (provider elevenlabs, https://elevenlabs.io/docs/api-reference/text-to-speech): one call, and
 * its failures with "fallback": "text_only", by which the page goes on in text.
 */
#ifndef LIB_SPEECH_H
#define LIB_SPEECH_H

#include <edge/edge.h>

/* Ends the invocation with 503 "not_configured" unless a key is set. */
void speech_require_key(edge_ctx *ctx);

/* Asks and returns once audio is about to come; what the provider refuses ends the invocation. */
EDGE_RETURNS_NONNULL edge_reply *speech_ask(edge_ctx *ctx, const char *voice, const char *text, bool stream);

/* Ends the invocation for a reply that broke off, or brought nothing. */
EDGE_NORETURN void speech_fail(edge_ctx *ctx, const edge_reply *reply);

#endif
