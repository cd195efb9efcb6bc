/*
 * whisperSTT: the text of a recording, which comes as base64 in JSON or as the request's bytes. The gateway
 * transcribes, or OpenAI where the gateway cannot. No database.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/recording.h"
#include "lib/transcribe.h"

static const edge_field input[] = {
    { "userId", EDGE_USER, .help = "The caller's own id, or absent" },
    { "audioBase64", EDGE_TEXT, .min = 1, .max = 60000000, .required = true,
        .help = "The recording in base64, or as a data URL" },
    { "mimeType", EDGE_TEXT, .min = 0, .max = 200, .help = "Its type, audio/webm when nothing says another" },
    { "language", EDGE_TEXT, .fallback = "en", .help = "ISO 639-1" },
    { 0 },
};

static const edge_field output[] = {
    { "success", EDGE_BOOL, .required = true, .help = "true" },
    { "text", EDGE_TEXT, .required = true, .help = "What is said" },
    { "transcript", EDGE_TEXT, .required = true, .help = "The same" },
    { "language", EDGE_TEXT, .required = true, .help = "ISO 639-1, as asked for" },
    { 0 },
};

static const edge_problem problems[] = {
    { 413, "audio_too_large", "The recording has more than 26,214,400 bytes" },
    { 415, "unsupported_media_type", "No such recordings are taken" },
    { 0 },
};

static const edge_shape shape = { .success_false = true };

static json_t *transcribe(edge_ctx *ctx, json_t *in)
{
    struct recording recording = in != NULL ? recording_of_json(ctx, in) : recording_of_body(ctx);
    const char *text = transcribe_recording(ctx, &recording);
    return json_pack(
        "{s:b, s:s, s:s, s:s}", "success", 1, "text", text, "transcript", text, "language", recording.language);
}

EDGE_FUNCTION(whisperSTT,
    .summary = "The text of a recording",
    .input = input,
    .output = output,
    .handle = transcribe,
    .raw_types = "audio/* video/webm video/mp4",
    .shape = &shape,
    .problems = problems);
