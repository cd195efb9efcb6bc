/*
 * ElevenLabs' text to speech: whole (https://elevenlabs.io/docs/api-reference/text-to-speech/convert) and as a
 * stream (…/text-to-speech/stream), and the voices there are.
 *
 * Orders beyond those of sandbox.h: pieces, a list of base64 texts, are the audio; tokenIntervalMs is the time
 * between two of them. Without it the audio begins as an MP3 file does and goes on with the text. truncateAfter
 * and stallAfter count pieces. A voice of "unknown…" does not exist.
 */
#include "lib/sandbox.h"
#include "lib/sandbox_elevenlabs.h"

#include <string.h>

enum {
    PIECE_BYTES = 1024,
};

static const char *const models[] = { "eleven_turbo_v2_5", "eleven_flash_v2_5", "eleven_multilingual_v2",
    NULL };

static bool is_model(const char *name)
{
    for (const char *const *model = models; name != NULL && *model != NULL; model++)
        if (strcmp(*model, name) == 0)
            return true;
    return false;
}

static bool is_share(json_t *settings, const char *key)
{
    double value = edge_json_number(settings, key, 0);
    return value >= 0 && value <= 1;
}

static json_t *check(edge_ctx *ctx, json_t *body, const char *voice)
{
    const char *text = edge_json_text(body, "text"), *model = edge_json_text(body, "model_id");
    json_t *settings = json_object_get(body, "voice_settings");
    if (text == NULL || text[0] == '\0')
        return sandbox_elevenlabs_invalid(ctx, "text", "Field required");
    if (!is_share(settings, "stability") || !is_share(settings, "similarity_boost"))
        return sandbox_elevenlabs_invalid(ctx, "voice_settings", "Input should be between 0 and 1");
    if (model != NULL && !is_model(model))
        return sandbox_elevenlabs_refuse(
            ctx, 400, "model_not_found", edge_format(ctx, "A model with model ID %s was not found", model));
    if (strncmp(voice, "unknown", 7) == 0)
        return sandbox_elevenlabs_refuse(ctx, 404, "voice_not_found",
            edge_format(ctx, "A voice with the voice_id %s was not found.", voice));
    return NULL;
}

static json_t *pieces_of(edge_ctx *ctx, const json_t *order, const char *text)
{
    json_t *pieces = json_object_get(order, "pieces");
    if (json_is_array(pieces))
        return pieces;
    const char *audio = edge_format(ctx, "ID3\x04 %s", text);
    size_t length = strlen(audio);
    pieces = json_array();
    for (size_t at = 0; at < length; at += PIECE_BYTES) {
        size_t size = length - at < PIECE_BYTES ? length - at : PIECE_BYTES;
        json_array_append_new(pieces, json_string(edge_base64(ctx, audio + at, size)));
    }
    return pieces;
}

static void send_pieces(edge_ctx *ctx, const json_t *order, json_t *pieces)
{
    int64_t truncate = edge_json_int(order, "truncateAfter", -1),
            stall = edge_json_int(order, "stallAfter", -1);
    edge_stream_begin(ctx, 200, "audio/mpeg");
    for (size_t i = 0; i <= json_array_size(pieces); i++) {
        if ((int64_t)i == truncate) {
            edge_sleep(ctx, 20); /* what was written has to be on its way before the connection breaks */
            edge_stream_abort(ctx);
        }
        if ((int64_t)i == stall)
            sandbox_stall(ctx);
        if (i == json_array_size(pieces))
            break;
        if (i > 0)
            edge_sleep(ctx, edge_json_int(order, "tokenIntervalMs", 1));
        size_t length;
        const void *bytes = edge_base64_decode(ctx, json_string_value(json_array_get(pieces, i)), &length);
        edge_stream_bytes(ctx, bytes, length);
    }
}

static json_t *speak(edge_ctx *ctx, json_t *order, const char *voice)
{
    json_t *body = sandbox_body(ctx);
    json_t *problem = check(ctx, body, voice);
    if (problem != NULL)
        return problem;
    send_pieces(ctx, order, pieces_of(ctx, order, edge_json_text(body, "text")));
    return NULL;
}

/* https://elevenlabs.io/docs/api-reference/voices/get-all */
static json_t *list_voices(edge_ctx *ctx, json_t *order, const char *segment)
{
    (void)segment;
    return sandbox_send_json(ctx, order, 200,
        json_pack("{s:[{s:s, s:s, s:s, s:{s:s}}, {s:s, s:s, s:s, s:{}}]}", "voices", "voice_id",
            "21m00Tcm4TlvDq8ikWAM", "name", "Rachel", "category", "premade", "labels", "accent", "american",
            "voice_id", "sandboxVoice00000001", "name", "Sandbox", "category", "cloned", "labels"));
}

const struct sandbox_elevenlabs_endpoint sandbox_elevenlabs_speech[] = {
    { "GET", "/v1/voices", list_voices },
    { "POST", "/v1/text-to-speech/{x}", speak },
    { "POST", "/v1/text-to-speech/{x}/stream", speak },
    { 0 },
};
