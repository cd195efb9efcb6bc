/*
 * elevenLabsWebhook: ElevenLabs tells of the life of an outbound sales call; the call log, the plan's minutes,
 * the calendar and the CRM follow. The host has verified the signature over the raw body (auth =
 * "webhook:elevenlabs").
 *
 * Delivery and effects are one transaction. Calendar and CRM are durable jobs of it, one each (afterCall), so
 * that the sender is answered at once and a crash loses none. Round trips: up to six.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/appointment.h"
#include "lib/call_event.h"
#include "lib/webhook.h"

#define PROVIDER "elevenlabs"

struct call {
    const char *id, *user;
    json_t *form_data;
};

#define CALL_SQL "SELECT id, user_id, form_data FROM call_logs" CALL_EVENT_ROW
#define CALL_ARGS(event)                                                                                       \
    edge_text((event)->conversation_id), edge_text(edge_json_text((event)->variables, "call_log_id")),         \
        edge_text(edge_json_text((event)->variables, "user_id"))

/* False when nobody has such a call. */
static bool call_of(const edge_rows *rows, struct call *call)
{
    if (edge_rows_count(rows) == 0)
        return false;
    *call = (struct call){
        .id = edge_rows_text(rows, 0, "id"),
        .user = edge_rows_text(rows, 0, "user_id"),
        .form_data = edge_rows_value(rows, 0, "form_data"),
    };
    return true;
}

static void note_initiation(edge_tx *tx, const struct call *call, const struct call_event *event)
{
    edge_tx_send(tx,
        "UPDATE call_logs"
        " SET status = CASE WHEN coalesce(status, 'pending_initiation') = 'pending_initiation' THEN 'initiated'"
        " ELSE status END,"
        " conversation_id = coalesce(conversation_id, $2), call_sid = coalesce($3, call_sid),"
        " metadata = coalesce(metadata, '{}') || jsonb_build_object('initiation', $4)"
        " WHERE id = $1",
        edge_uuid(call->id), edge_text(event->conversation_id), edge_text(event->call_sid),
        edge_json(call_event_details(event)));
}

static void note_update(edge_tx *tx, const struct call *call, const struct call_event *event)
{
    edge_tx_send(tx,
        "UPDATE call_logs"
        " SET metadata = coalesce(metadata, '{}') || jsonb_build_object('updates', $2)"
        " WHERE id = $1",
        edge_uuid(call->id), edge_json(call_event_details(event)));
}

static void note_failure(edge_ctx *ctx, edge_tx *tx, const struct call *call, const struct call_event *event)
{
    edge_tx_send(tx,
        "UPDATE call_logs"
        " SET status = 'failed', ended_at = $2, metadata = coalesce(metadata, '{}') || $3"
        " WHERE id = $1 AND status IN ('pending_initiation', 'initiated')",
        edge_uuid(call->id), edge_time(edge_now(ctx)), edge_json(call_event_failure(event)));
}

/* --- a call that has ended --- */

/*
 * The appointment's day and time where the owner is, and its end, 45 minutes later on the same clock: members
 * of the analysis, and what the calendar is told. NULL when there is none with a time.
 */
static const edge_rows *place_in_time(
    edge_tx *tx, const struct call *call, const struct appointment *appointment)
{
    if (appointment->start == NULL)
        return NULL;
    return edge_tx_query(tx,
        "SELECT to_char(at AT TIME ZONE zone, 'YYYY-MM-DD') AS day, to_char(at AT TIME ZONE zone, 'HH24:MI') "
        "AS clock,"
        " to_char($2::timestamp + interval '45 minutes', 'YYYY-MM-DD\"T\"HH24:MI:SS') || $3 AS ends"
        " FROM (SELECT zone, CASE WHEN $3 = '' THEN $2::timestamp AT TIME ZONE zone ELSE ($2 || "
        "$3)::timestamptz END"
        " AS at FROM (SELECT coalesce((SELECT z.name FROM user_preferences AS p JOIN pg_timezone_names AS z"
        " ON z.name = p.timezone WHERE p.user_id = $1), 'America/New_York') AS zone) AS owner) AS placed",
        edge_text(call->user), edge_text(appointment->local), edge_text(appointment->offset));
}

static const json_t *analysis_of(
    const struct call_event *event, const struct appointment *appointment, const edge_rows *placed)
{
    const json_t *analysis = json_object_get(event->meta, "analysis");
    if (!json_is_object(analysis))
        analysis = json_object_get(event->data, "analysis");
    json_t *patch = json_is_object(analysis) ? json_copy((json_t *)analysis) : json_object();
    if (placed != NULL)
        json_object_update_new(
            patch, json_pack("{s:s, s:s, s:s}", "appointmentDate", edge_rows_text(placed, 0, "day"),
                       "appointmentTime", edge_rows_text(placed, 0, "clock"), "appointmentLocation",
                       appointment->address != NULL ? appointment->address : "Virtual"));
    return patch;
}

static void note_conversation(edge_ctx *ctx, edge_tx *tx, const struct call *call,
    const struct call_event *event, const struct appointment *appointment, const edge_rows *placed)
{
    bool has_analysis = json_is_object(json_object_get(event->meta, "analysis")) ||
                        json_is_object(json_object_get(event->data, "analysis"));
    const char *status = call_event_failed(event) ? "failed"
                         : appointment->set       ? "appointment_set"
                                                  : "completed";
    edge_tx_send(tx,
        "UPDATE call_logs"
        " SET status = $2, transcript = $3, duration_seconds = $4, ended_at = $5,"
        " analysis = CASE WHEN $6 THEN '{}' ELSE coalesce(analysis, '{}') END || $7,"
        " notes = coalesce(notes, $8), metadata = coalesce(metadata, '{}') || $9,"
        " conversation_id = coalesce(conversation_id, $10), call_sid = coalesce($11, call_sid)"
        " WHERE id = $1",
        edge_uuid(call->id), edge_text(status), edge_json(call_event_transcript(event)),
        edge_int(event->seconds), edge_time(call_event_end(ctx, event)), edge_bool(has_analysis),
        edge_json(analysis_of(event, appointment, placed)), edge_text(appointment->notes),
        edge_json(event->meta), edge_text(event->conversation_id), edge_text(event->call_sid));
}

static void count_minutes(edge_tx *tx, const struct call *call, int64_t minutes)
{
    if (minutes > 0)
        edge_tx_send(tx,
            "UPDATE user_agent_subscriptions"
            " SET current_minutes_used = coalesce(current_minutes_used, 0) + $2"
            " WHERE id = (SELECT id FROM user_agent_subscriptions"
            " WHERE user_id = $1 AND agent_type IN ('sales_agent', 'core')"
            " ORDER BY agent_type = 'sales_agent' DESC LIMIT 1)",
            edge_text(call->user), edge_int(minutes));
}

static void enqueue(edge_ctx *ctx, edge_tx *tx, const struct call *call, const char *effect, json_t *more)
{
    json_t *payload = json_pack("{s:s, s:s}", "callLogId", call->id, "effect", effect);
    json_object_update(payload, more);
    edge_tx_enqueue(tx, "afterCall", payload, .key = edge_format(ctx, "call:%s:%s", call->id, effect));
}

static void enqueue_effects(edge_ctx *ctx, edge_tx *tx, const struct call *call,
    const struct appointment *appointment, const edge_rows *placed)
{
    if (placed != NULL)
        enqueue(ctx, tx, call, "calendar",
            json_pack("{s:s, s:s, s:s*}", "startTime", appointment->start, "endTime",
                edge_rows_text(placed, 0, "ends"), "address", appointment->address));
    edge_rows *crms = edge_tx_query(tx,
        "SELECT DISTINCT CASE WHEN provider = 'lofty' THEN provider ELSE 'follow_up_boss' END AS effect"
        " FROM crm_connections"
        " WHERE user_id = $1 AND connection_status = 'connected'"
        " AND provider IN ('lofty', 'follow_up_boss', 'followupboss') AND sync_settings ->> 'syncCallLogs' = "
        "'true'",
        edge_text(call->user));
    for (size_t i = 0; i < edge_rows_count(crms); i++)
        enqueue(ctx, tx, call, edge_rows_text(crms, i, "effect"), NULL);
}

static void end_conversation(
    edge_ctx *ctx, edge_tx *tx, const struct call *call, const struct call_event *event)
{
    struct appointment appointment = appointment_read(ctx, event, call->form_data);
    const edge_rows *placed = place_in_time(tx, call, &appointment);
    note_conversation(ctx, tx, call, event, &appointment, placed);
    count_minutes(tx, call, event->minutes);
    enqueue_effects(ctx, tx, call, &appointment, placed);
}

/* --- deliveries --- */

static json_t *apply_once(edge_ctx *ctx, const struct call_event *event)
{
    EDGE_TRANSACTION(ctx, tx, .service = true, .retries = 3)
    {
        struct call call;
        if (!webhook_is_new(ctx, tx, PROVIDER, event->event_id))
            return webhook_duplicate();
        if (!call_of(edge_tx_query(tx, CALL_SQL " FOR UPDATE", CALL_ARGS(event)), &call))
            return webhook_ignored("unknown_conversation");
        if (event->kind == CALL_TRANSCRIPTION)
            end_conversation(ctx, tx, &call, event);
        else if (event->kind == CALL_INITIATION_METADATA)
            note_initiation(tx, &call, event);
        else if (event->kind == CALL_UPDATE)
            note_update(tx, &call, event);
        else
            note_failure(ctx, tx, &call, event);
    }
    return webhook_done();
}

/* The recording lies in the storage before a row names it; a delivery that comes again overwrites it with
 * itself. */
static json_t *keep_recording(edge_ctx *ctx, const struct call_event *event)
{
    struct call call;
    if (!call_of(edge_service_query(ctx, CALL_SQL, CALL_ARGS(event)), &call))
        return webhook_ignored("unknown_conversation");
    const char *path = edge_format(ctx, "%s/calls/%s.mp3", call.user, call.id);
    if (!call_event_keep_audio(ctx, event, path))
        return webhook_ignore(ctx, PROVIDER, event->event_id, "no_audio");

    EDGE_TRANSACTION(ctx, tx, .service = true, .retries = 3)
    {
        if (!webhook_is_new(ctx, tx, PROVIDER, event->event_id))
            return webhook_duplicate();
        edge_tx_send(tx,
            "UPDATE call_logs"
            " SET recording_url = $2, conversation_id = coalesce(conversation_id, $3)"
            " WHERE id = $1",
            edge_uuid(call.id), edge_text(path), edge_text(event->conversation_id));
    }
    return webhook_done();
}

static json_t *elevenlabs_webhook(edge_ctx *ctx, json_t *in)
{
    (void)in;
    struct call_event event = call_event_read(ctx, true);
    if (event.kind == CALL_UNKNOWN)
        return webhook_ignore(ctx, PROVIDER, event.event_id, "unhandled_type");
    return event.kind == CALL_AUDIO ? keep_recording(ctx, &event) : apply_once(ctx, &event);
}

EDGE_FUNCTION(elevenLabsWebhook,
    .summary = "Keeps call logs, minutes, calendar and CRM in step with ElevenLabs' calls",
    .output = webhook_output,
    .handle = elevenlabs_webhook,
    .raw_body = true);
