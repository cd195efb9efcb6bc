/*
 * Transcriptions of the stand-ins: a form with the recording, answered with a text that follows from its size
 * (https://platform.openai.com/docs/api-reference/audio/createTranscription).
 */
#include "lib/sandbox.h"
#include "lib/sandbox_openai.h"

#include <string.h>

enum {
    AUDIO_MAX = 26214400,
};

static const char *const endings[] = { "flac", "m4a", "mp3", "mp4", "mpeg", "mpga", "oga", "ogg", "wav", "webm",
    NULL };
static const char *const formats[] = { "json", "text", "srt", "verbose_json", "vtt", NULL };

static const char *part_text(edge_ctx *ctx, const char *name)
{
    const edge_part *part = edge_request_part(ctx, name);
    return part != NULL ? edge_part_text(ctx, part) : NULL;
}

static json_t *check_file(edge_ctx *ctx, const edge_part *file)
{
    if (file == NULL || file->filename == NULL)
        return sandbox_openai_refuse(
            ctx, 400, "invalid_request_error", "file", "Missing required parameter: 'file'.");

    const char *dot = strrchr(file->filename, '.');
    if (dot == NULL || !sandbox_openai_is_model(endings, dot + 1))
        return sandbox_openai_refuse(ctx, 400, "invalid_request_error", "file",
            "Invalid file format. Supported formats: ['flac', 'm4a', 'mp3', 'mp4', 'mpeg', 'mpga', 'oga', "
            "'ogg', 'wav', 'webm']");
    if (file->length > AUDIO_MAX)
        return sandbox_openai_refuse(ctx, 413, "server_error", NULL,
            edge_format(
                ctx, "Maximum content size limit (%d) exceeded (%zu bytes read)", AUDIO_MAX, file->length));
    if (file->length == 0)
        return sandbox_openai_refuse(ctx, 400, "invalid_request_error", "file",
            "Audio file is too short. Minimum audio length is 0.1 seconds.");
    return NULL;
}

static json_t *check_form(edge_ctx *ctx, const struct sandbox_openai *service)
{
    json_t *problem = check_file(ctx, edge_request_part(ctx, "file"));
    if (problem != NULL)
        return problem;

    const char *model = part_text(ctx, "model"), *format = part_text(ctx, "response_format");
    const char *language = part_text(ctx, "language");
    if (!sandbox_openai_is_model(service->speech_models, model))
        return sandbox_openai_refuse(ctx, 400, "invalid_request_error", "model", "Invalid model");
    if (format != NULL && !sandbox_openai_is_model(formats, format))
        return sandbox_openai_refuse(
            ctx, 400, "invalid_request_error", "response_format", "Invalid response_format");
    if (language != NULL && strlen(language) != 2)
        return sandbox_openai_refuse(ctx, 400, "invalid_request_error", "language",
            "Invalid language. Language parameter must be specified in ISO-639-1 format.");
    return NULL;
}

json_t *sandbox_speech_answer(edge_ctx *ctx, const struct sandbox_openai *service, json_t *order)
{
    if (!edge_request_has_parts(ctx))
        return sandbox_openai_refuse(
            ctx, 415, "invalid_request_error", NULL, "Content-Type must be multipart/form-data");
    json_t *problem = check_form(ctx, service);
    if (problem != NULL)
        return problem;

    const char *text = edge_json_text(order, "text"), *format = part_text(ctx, "response_format");
    if (text == NULL)
        text = edge_format(ctx, "This is a recording of %zu bytes.", edge_request_part(ctx, "file")->length);
    if (format != NULL && strcmp(format, "text") == 0)
        return sandbox_send(ctx, order, 200, "text/plain", edge_format(ctx, "%s\n", text));
    const char *body = edge_json_dump(ctx, json_pack("{s:s}", "text", text), NULL);
    return sandbox_send(ctx, order, 200, "application/json", body);
}
