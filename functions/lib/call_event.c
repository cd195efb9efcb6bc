/*
 * What ElevenLabs tells about a call.
 */
#include "lib/call_event.h"

#include "lib/webhook.h"

#include <math.h>
#include <string.h>

#define BUCKET "audio-recordings"
#define SECONDS_MAX 1e8 /* three years; what is beyond is no call, and would not fit the column */

static const struct {
    const char *type;
    enum call_event_kind kind;
} kinds[] = {
    { "post_call_transcription", CALL_TRANSCRIPTION },
    { "post_call_audio", CALL_AUDIO },
    { "call_initiation_failure", CALL_INITIATION_FAILURE },
    { "conversation_initiation_metadata", CALL_INITIATION_METADATA },
    { "conversation_update", CALL_UPDATE },
};

static const char *nonempty(const char *text)
{
    return text != NULL && text[0] != '\0' ? text : NULL;
}

static const char *either(const char *first, const char *second)
{
    return nonempty(first) != NULL ? first : nonempty(second);
}

static enum call_event_kind kind_of(const char *type, bool updates)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i].type, type) == 0)
            return kinds[i].kind == CALL_UPDATE && !updates ? CALL_UNKNOWN : kinds[i].kind;
    return CALL_UNKNOWN;
}

/* Old senders tell of a call's beginning and progress as often as they like, so there the bytes count too. */
static const char *event_id_of(edge_ctx *ctx, const struct call_event *event, const char *type)
{
    if (event->kind == CALL_UNKNOWN)
        return webhook_body_id(ctx);
    if (event->kind == CALL_INITIATION_METADATA || event->kind == CALL_UPDATE)
        return edge_format(
            ctx, "%s:%s:%s", type, event->conversation_id, webhook_body_id(ctx) + strlen("sha256:"));
    return edge_format(ctx, "%s:%s", type, event->conversation_id);
}

static void read_length(struct call_event *event)
{
    double seconds = floor(edge_json_number(event->meta, "call_duration_secs", 0));
    event->seconds = (int64_t)fmin(fmax(seconds, 0), SECONDS_MAX);
    event->minutes = (event->seconds + 59) / 60;
}

struct call_event call_event_read(edge_ctx *ctx, bool updates)
{
    json_t *body = webhook_event(ctx), *data = json_object_get(body, "data");
    const char *type = either(edge_json_text(body, "event_type"), edge_json_text(body, "type"));
    if (type == NULL)
        edge_fail(ctx, 400, "invalid_payload", "type must be a string");

    struct call_event event = {
        .kind = kind_of(type, updates),
        .event = body,
        .data = data,
        .conversation_id =
            either(edge_json_text(body, "conversation_id"), edge_json_text(data, "conversation_id")),
        .call_sid = either(edge_json_text(body, "call_sid"), edge_json_text(data, "callSid")),
        .variables = edge_json_path(data, "conversation_initiation_client_data.dynamic_variables"),
        .meta = json_object_get(body, "metadata"),
    };
    if (event.kind != CALL_UNKNOWN && event.conversation_id == NULL)
        edge_fail(ctx, 400, "invalid_payload", "conversation_id must be a string");
    if (event.call_sid == NULL)
        event.call_sid = nonempty(edge_json_text(edge_json_path(data, "metadata.phone_call"), "call_sid"));
    if (!json_is_object(event.meta))
        event.meta = json_object_get(data, "metadata");
    if (!json_is_object(event.meta))
        event.meta = json_object();
    event.event_id = event_id_of(ctx, &event, type);
    read_length(&event);
    return event;
}

bool call_event_failed(const struct call_event *event)
{
    const char *status = edge_json_text(event->data, "status");
    return status != NULL && strcmp(status, "failed") == 0;
}

json_t *call_event_transcript(const struct call_event *event)
{
    json_t *transcript = json_object_get(event->event, "transcript");
    if (transcript == NULL || json_is_null(transcript))
        transcript = json_object_get(event->data, "transcript");
    return transcript != NULL && !json_is_null(transcript) ? transcript : json_array();
}

int64_t call_event_end(edge_ctx *ctx, const struct call_event *event)
{
    double start = edge_json_number(event->meta, "start_time_unix_secs", 0);
    bool known = start > 0 && start < 4e9;
    return known ? ((int64_t)start + event->seconds) * 1000000 : edge_now(ctx);
}

json_t *call_event_details(const struct call_event *event)
{
    return event->data != NULL && !json_is_null(event->data) ? event->data : event->meta;
}

json_t *call_event_failure(const struct call_event *event)
{
    const char *reason = edge_json_text(event->data, "failure_reason");
    return json_pack("{s:s, s:O?}", "failure_reason", reason != NULL ? reason : "unknown", "failure_detail",
        json_object_get(event->data, "metadata"));
}

bool call_event_keep_audio(edge_ctx *ctx, const struct call_event *event, const char *path)
{
    const char *audio =
        either(edge_json_text(event->event, "full_audio"), edge_json_text(event->data, "full_audio"));
    if (audio == NULL)
        return false;

    size_t length = 0;
    const uint8_t *bytes = edge_base64_decode(ctx, audio, &length);
    if (bytes == NULL)
        edge_fail(ctx, 400, "invalid_audio", "full_audio is not base64");

    edge_error error;
    if (edge_try_storage_put(ctx, &error, BUCKET, path, bytes, length, .content_type = "audio/mpeg") == NULL) {
        edge_log(ctx, EDGE_LOG_ERROR, "recording_not_stored", { "code", edge_text(error.code) },
            { "detail", edge_text(error.detail) });
        edge_fail(ctx, 502, "storage_failed", "The recording could not be stored");
    }
    return true;
}
