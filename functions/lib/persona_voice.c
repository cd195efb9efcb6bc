/*
 * Voices for personas.
 */
#include "lib/persona_voice.h"

#include <string.h>
#include <strings.h>

#define DEFAULT_VOICE "EXAVITQu4vr4xnSDxMaL"

static const struct {
    const char *key, *keyword, *voice;
} voices[] = {
    { "first_time_buyer", "first time", "9BWtsMINqrJLrRacOk9x" },
    { "luxury_buyer", "luxury", "EXAVITQu4vr4xnSDxMaL" },
    { "investor", "investor", "IKne3meq5aSn9XLyUdCD" },
    { "seller", "seller", "FGY2WhTYpPnrIDTdsKH5" },
};
#define VOICE_COUNT (sizeof voices / sizeof *voices)

bool persona_voice_is_id(const char *text)
{
    size_t length = strlen(text);
    return length >= 10 && length <= 40 &&
           strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") == length;
}

const char *persona_voice(edge_ctx *ctx, const char *persona)
{
    if (persona == NULL)
        return DEFAULT_VOICE;
    for (size_t i = 0; i < VOICE_COUNT; i++)
        if (strcmp(voices[i].key, persona) == 0)
            return voices[i].voice;

    char *words = edge_copy(ctx, persona);
    for (char *at = words; (at = strpbrk(at, "-_")) != NULL;)
        *at = ' ';
    for (size_t i = 0; i < VOICE_COUNT; i++)
        if (strcasestr(words, voices[i].keyword) != NULL)
            return voices[i].voice;
    return DEFAULT_VOICE;
}
