/*
 * Recordings: their type, their bytes, and how many there may be.
 */
#include "lib/recording.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum {
    AUDIO_MAX = 26214400,
};

static const struct {
    const char *media_type, *ending;
} types[] = {
    { "audio/webm", "webm" },
    { "video/webm", "webm" },
    { "audio/mp4", "m4a" },
    { "audio/m4a", "m4a" },
    { "audio/x-m4a", "m4a" },
    { "video/mp4", "m4a" },
    { "audio/mpeg", "mp3" },
    { "audio/mp3", "mp3" },
    { "audio/wav", "wav" },
    { "audio/x-wav", "wav" },
    { "audio/wave", "wav" },
    { "audio/ogg", "ogg" },
    { "audio/flac", "flac" },
};

EDGE_NORETURN static void refuse(edge_ctx *ctx, const char *field, const char *message)
{
    edge_fail_with(ctx, 400, "invalid_input", .message = message, .field = field);
}

/* Fills in type and file name; parameters behind the type, as ;codecs=opus, do not matter. */
static void set_type(edge_ctx *ctx, struct recording *recording, const char *type)
{
    type += strspn(type, " ");
    size_t length = strcspn(type, "; ");
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strlen(types[i].media_type) == length && strncasecmp(types[i].media_type, type, length) == 0) {
            recording->media_type = types[i].media_type;
            recording->filename = edge_format(ctx, "audio.%s", types[i].ending);
            return;
        }
    edge_fail(
        ctx, 415, "unsupported_media_type", "Recordings of type \"%.*s\" are not taken", (int)length, type);
}

static void set_language(edge_ctx *ctx, struct recording *recording, const char *language)
{
    if (language == NULL || language[0] == '\0')
        language = "en";
    if (strlen(language) != 2 || !isalpha((unsigned char)language[0]) || !isalpha((unsigned char)language[1]))
        refuse(ctx, "language", "language must be two letters (ISO 639-1)");
    char *lower = edge_copy(ctx, language);
    lower[0] = (char)tolower((unsigned char)lower[0]);
    lower[1] = (char)tolower((unsigned char)lower[1]);
    recording->language = lower;
}

static void check_length(edge_ctx *ctx, const struct recording *recording)
{
    if (recording->length == 0)
        refuse(ctx, "audioBase64", "The recording is empty");
    if (recording->length > AUDIO_MAX)
        edge_fail(ctx, 413, "audio_too_large", "The recording has %zu bytes, at most %d are taken",
            recording->length, AUDIO_MAX);
}

/* The text without white space; itself when it has none, since it is large. */
static const char *without_blanks(edge_ctx *ctx, const char *text)
{
    if (strpbrk(text, " \t\r\n\f\v") == NULL)
        return text;
    char *bare = edge_alloc(ctx, strlen(text) + 1), *to = bare;
    for (; *text != '\0'; text++)
        if (strchr(" \t\r\n\f\v", *text) == NULL)
            *to++ = *text;
    return bare;
}

/* Behind "data:<type>;base64,", and the type; all of it, and no type, when it is no data URL. */
static const char *behind_prefix(edge_ctx *ctx, const char *text, const char **type)
{
    *type = NULL;
    text += strspn(text, " \t\r\n");
    if (strncasecmp(text, "data:", 5) != 0)
        return text;
    const char *comma = strchr(text, ',');
    if (comma == NULL || comma - text < 12 || strncasecmp(comma - 7, ";base64", 7) != 0)
        refuse(ctx, "audioBase64", "audioBase64 must be base64, or a data URL in base64");
    *type = edge_copy_bytes(ctx, text + 5, (size_t)(comma - 7 - (text + 5)));
    return comma + 1;
}

struct recording recording_of_json(edge_ctx *ctx, json_t *in)
{
    const char *given = edge_json_text(in, "mimeType"), *own;
    const char *text = behind_prefix(ctx, edge_json_text(in, "audioBase64"), &own);
    const char *type = given != NULL && given[0] != '\0' ? given
                       : own != NULL && own[0] != '\0'   ? own
                                                         : "audio/webm";
    struct recording recording = { 0 };
    set_type(ctx, &recording, type);
    set_language(ctx, &recording, edge_json_text(in, "language"));

    recording.data = edge_base64_decode(ctx, without_blanks(ctx, text), &recording.length);
    if (recording.data == NULL)
        refuse(ctx, "audioBase64", "audioBase64 is not valid base64");
    check_length(ctx, &recording);
    return recording;
}

struct recording recording_of_body(edge_ctx *ctx)
{
    struct recording recording = { 0 };
    set_type(ctx, &recording, edge_request_header(ctx, "content-type"));
    set_language(ctx, &recording, edge_request_query(ctx, "language"));
    recording.data = edge_request_body(ctx, &recording.length);
    check_length(ctx, &recording);
    return recording;
}
