/*
 * Voices of ElevenLabs for the people of role plays.
 */
#ifndef LIB_PERSONA_VOICE_H
#define LIB_PERSONA_VOICE_H

#include <edge/edge.h>

/* Whether it may be the id of a voice: 10 to 40 letters and digits. */
bool persona_voice_is_id(const char *text);

/* The voice for a persona, a key or free text (NULL: none): by key, else by the first keyword in it, else the
 * default. */
EDGE_RETURNS_NONNULL const char *persona_voice(edge_ctx *ctx, const char *persona);

#endif
