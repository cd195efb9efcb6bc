/*
 * elevenLabsRolePlayWebhook: ElevenLabs tells of training calls; transcript and recording are kept, credits
 * settled, the evaluation started. The host has verified the signature over the raw body (auth =
 * "webhook:elevenlabs").
 *
 * Delivery and effects are one transaction; the evaluation is a durable job of it, so that the sender is
 * answered at once. Round trips: up to five.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/call_event.h"
#include "lib/credits.h"
#include "lib/plan.h"
#include "lib/role_play.h"
#include "lib/webhook.h"

#define PROVIDER "elevenlabs_roleplay"

struct session {
    const char *id, *user, *status;
    int64_t prepaid;
};

#define SESSION_SQL                                                                                            \
    "SELECT id, user_id, coalesce(status, '') AS status,"                                                      \
    " CASE WHEN jsonb_typeof(metadata -> 'prepaid_credits') = 'number'"                                        \
    " THEN (metadata ->> 'prepaid_credits')::numeric::int ELSE 0 END AS prepaid"                               \
    " FROM role_play_session_logs" CALL_EVENT_ROW
#define SESSION_ARGS(event)                                                                                    \
    edge_text((event)->conversation_id), edge_text(edge_json_text((event)->variables, "session_id")),          \
        edge_text(edge_json_text((event)->variables, "user_id"))

/* False when nobody has such a call. */
static bool session_of(const edge_rows *rows, struct session *session)
{
    if (edge_rows_count(rows) == 0)
        return false;
    *session = (struct session){
        .id = edge_rows_text(rows, 0, "id"),
        .user = edge_rows_text(rows, 0, "user_id"),
        .status = edge_rows_text(rows, 0, "status"),
        .prepaid = edge_rows_int(rows, 0, "prepaid"),
    };
    return true;
}

static void note_initiation(edge_tx *tx, const struct session *session, const struct call_event *event)
{
    edge_tx_send(tx,
        "UPDATE role_play_session_logs"
        " SET conversation_id = coalesce(conversation_id, $2), call_sid = coalesce($3, call_sid),"
        " metadata = coalesce(metadata, '{}') || jsonb_build_object('initiation', $4)"
        " WHERE id = $1",
        edge_uuid(session->id), edge_text(event->conversation_id), edge_text(event->call_sid),
        edge_json(call_event_details(event)));
}

static void note_conversation(
    edge_ctx *ctx, edge_tx *tx, const struct session *session, const struct call_event *event)
{
    const json_t *analysis = json_object_get(event->data, "analysis");
    const json_t *patch = json_pack("{s:O, s:O*}", "conversation_summary", event->meta, "analysis", analysis);
    edge_tx_send(tx,
        "UPDATE role_play_session_logs"
        " SET status = $2, session_duration_seconds = $3, transcript = $4, ended_at = $5,"
        " conversation_id = coalesce(conversation_id, $6), call_sid = coalesce($7, call_sid),"
        " metadata = coalesce(metadata, '{}') || $8"
        " WHERE id = $1",
        edge_uuid(session->id), edge_text(call_event_failed(event) ? "failed" : "completed"),
        edge_int(event->seconds), edge_json(call_event_transcript(event)),
        edge_time(call_event_end(ctx, event)), edge_text(event->conversation_id), edge_text(event->call_sid),
        edge_json(patch));
}

/* What was paid beforehand counts, unless it has been given back: a call that was taken for failed and was not.
 */
static int64_t charge_of(const struct session *session, const struct call_event *event)
{
    int64_t prepaid = strcmp(session->status, "failed") == 0 ? 0 : session->prepaid;
    return event->minutes > prepaid ? event->minutes - prepaid : 0;
}

/* Takes what there is; a balance of nothing leaves no ledger row, so the session says what was not collected.
 */
static void settle_credits(
    edge_ctx *ctx, edge_tx *tx, const struct session *session, const struct call_event *event)
{
    int64_t charge = charge_of(session, event);
    edge_rows *owner = edge_tx_query(tx,
        "SELECT p.subscription_tier FROM profiles AS p JOIN user_credits AS c ON c.user_id = p.id WHERE p.id = "
        "$1",
        edge_text(session->user));
    if (charge == 0 || edge_rows_count(owner) == 0 ||
        tier_is_paid(edge_rows_text(owner, 0, "subscription_tier")))
        return;

    const struct credit_change *change = credits_book_in(ctx, tx,
        &(const struct credit_booking){
            .user = session->user,
            .operation = "collect",
            .amount = charge,
            .type = "debit",
            .description =
                edge_format(ctx, "Role-play session %s, %lld minutes", session->id, (long long)event->minutes),
            .metadata = json_pack("{s:s, s:s, s:I}", "conversation_id", event->conversation_id, "session_id",
                session->id, "minutes", (json_int_t)event->minutes),
            .key = edge_format(ctx, "roleplay/minutes/%s", session->id),
        });
    if (change->transaction_id == NULL)
        edge_tx_send(tx,
            "UPDATE role_play_session_logs"
            " SET metadata = coalesce(metadata, '{}') || jsonb_build_object('uncollected', $2)"
            " WHERE id = $1",
            edge_uuid(session->id), edge_int(charge));
}

static bool has_words(const json_t *transcript)
{
    return json_array_size(transcript) > 0 || json_object_size(transcript) > 0 ||
           json_string_length(transcript) > 0;
}

static void end_conversation(
    edge_ctx *ctx, edge_tx *tx, const struct session *session, const struct call_event *event)
{
    settle_credits(ctx, tx, session, event);
    note_conversation(ctx, tx, session, event);
    if (!call_event_failed(event) && has_words(call_event_transcript(event)))
        edge_tx_enqueue(tx, "afterRolePlayCall", json_pack("{s:s}", "sessionId", session->id),
            .key = edge_format(ctx, "roleplay:%s", session->id));
}

static void act(edge_ctx *ctx, edge_tx *tx, const struct session *session, const struct call_event *event)
{
    static const char *const open[] = { "pending_initiation", "initiated" };
    switch (event->kind) {
    case CALL_TRANSCRIPTION:
        end_conversation(ctx, tx, session, event);
        break;
    case CALL_INITIATION_METADATA:
        note_initiation(tx, session, event);
        break;
    case CALL_INITIATION_FAILURE:
        role_play_fail(ctx, tx, session->id, call_event_failure(event), open, 2);
        break;
    default:
        break;
    }
}

static json_t *apply_once(edge_ctx *ctx, const struct call_event *event)
{
    EDGE_TRANSACTION(ctx, tx, .service = true, .retries = 3)
    {
        struct session session;
        if (!webhook_is_new(ctx, tx, PROVIDER, event->event_id))
            return webhook_duplicate();
        if (!session_of(edge_tx_query(tx, SESSION_SQL " FOR UPDATE", SESSION_ARGS(event)), &session))
            return webhook_ignored("unknown_conversation");
        act(ctx, tx, &session, event);
    }
    return webhook_done();
}

/* The recording lies in the storage before a row names it; a delivery that comes again overwrites it with
 * itself. */
static json_t *keep_recording(edge_ctx *ctx, const struct call_event *event)
{
    struct session session;
    if (!session_of(edge_service_query(ctx, SESSION_SQL, SESSION_ARGS(event)), &session))
        return webhook_ignored("unknown_conversation");
    const char *path = edge_format(ctx, "%s/role-play/%s.mp3", session.user, session.id);
    if (!call_event_keep_audio(ctx, event, path))
        return webhook_ignore(ctx, PROVIDER, event->event_id, "no_audio");

    EDGE_TRANSACTION(ctx, tx, .service = true, .retries = 3)
    {
        if (!webhook_is_new(ctx, tx, PROVIDER, event->event_id))
            return webhook_duplicate();
        edge_tx_send(tx,
            "UPDATE role_play_session_logs"
            " SET recording_url = $2, conversation_id = coalesce(conversation_id, $3)"
            " WHERE id = $1",
            edge_uuid(session.id), edge_text(path), edge_text(event->conversation_id));
    }
    return webhook_done();
}

static json_t *role_play_webhook(edge_ctx *ctx, json_t *in)
{
    (void)in;
    struct call_event event = call_event_read(ctx, false);
    if (event.kind == CALL_UNKNOWN)
        return webhook_ignore(ctx, PROVIDER, event.event_id, "unhandled_type");
    return event.kind == CALL_AUDIO ? keep_recording(ctx, &event) : apply_once(ctx, &event);
}

EDGE_FUNCTION(elevenLabsRolePlayWebhook,
    .summary = "Keeps and settles training calls as ElevenLabs reports them",
    .output = webhook_output,
    .handle = role_play_webhook,
    .raw_body = true);
