/*
 * Transcriptions: by the AI gateway, or by OpenAI where the gateway has none or has no key.
 */
#ifndef LIB_TRANSCRIBE_H
#define LIB_TRANSCRIBE_H

#include "lib/recording.h"

/* The recording's text, trimmed; "" when nothing is said. What the providers do wrong ends the invocation
 * (ai.md S2). */
EDGE_RETURNS_NONNULL const char *transcribe_recording(edge_ctx *ctx, const struct recording *recording);

#endif
