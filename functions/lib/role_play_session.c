/*
 * The rows of a role-play call.
 */
#include "lib/role_play_session.h"

#include "lib/credits.h"

#include <string.h>

enum {
    PREPAID = 10,    /* what the page pays */
    BALANCE_MIN = 5, /* what has to be there otherwise */
};

const edge_field role_play_output[] = {
    { "success", EDGE_BOOL, .required = true, .help = "Whether the call was started" },
    { "sessionId", EDGE_UUID, .required = true, .help = "Row of role_play_session_logs" },
    { "session_id", EDGE_UUID, .required = true, .help = "The same" },
    { "conversationId", EDGE_TEXT, .help = "The call at ElevenLabs" },
    { "callSid", EDGE_TEXT, .help = "The call at Twilio" },
    { "message", EDGE_TEXT, .required = true, .help = "A sentence about it" },
    { "error", EDGE_TEXT, .help = "The same, when the call was not started" },
    { "replayed", EDGE_BOOL, .help = "true: an earlier call with this idempotency key" },
    { 0 },
};

json_t *role_play_answer(const char *id, const char *conversation_id, const char *call_sid, const char *message)
{
    return json_pack("{s:b, s:s, s:s, s:s?, s:s?, s:s}", "success", 1, "sessionId", id, "session_id", id,
        "conversationId", conversation_id, "callSid", call_sid, "message", message);
}

static json_t *replay_of(const edge_rows *session)
{
    bool failed = strcmp(edge_rows_text(session, 0, "status"), "failed") == 0;
    json_t *answer = role_play_answer(edge_rows_text(session, 0, "id"),
        edge_rows_text(session, 0, "conversation_id"), edge_rows_text(session, 0, "call_sid"),
        failed ? "The call was not started" : "The call has been started");
    json_object_set_new(answer, "success", json_boolean(!failed));
    if (failed)
        json_object_set_new(answer, "error", json_string("The call was not started"));
    json_object_set_new(answer, "replayed", json_true());
    return answer;
}

/* What the page has paid for this call just before it, if that has not been used by another one. */
static const char *find_prepayment(edge_tx *tx, const char *user)
{
    edge_rows *paid = edge_tx_query(tx,
        "SELECT t.id FROM credit_transactions AS t"
        " WHERE t.user_id = $1 AND t.amount = -$2 AND t.metadata ->> 'feature' = 'Role-Play'"
        " AND t.created_at > now() - interval '10 minutes'"
        " AND NOT EXISTS (SELECT FROM role_play_session_logs AS s"
        " WHERE s.user_id = $1 AND s.metadata ->> 'prepaid_transaction_id' = t.id::text)"
        " ORDER BY t.created_at DESC LIMIT 1",
        edge_text(user), edge_int(PREPAID));
    return edge_rows_count(paid) > 0 ? edge_rows_text(paid, 0, "id") : NULL;
}

static const char *charge(edge_ctx *ctx, edge_tx *tx, const char *user, const char *session_id)
{
    const struct credit_booking booking = {
        .user = user,
        .operation = "deduct",
        .amount = PREPAID,
        .type = "debit",
        .description = "Role-play call",
        .metadata = json_pack("{s:s, s:s}", "feature", "Role-Play", "session_id", session_id),
        .key = edge_format(ctx, "roleplay/start/%s", session_id),
    };
    const struct credit_change *change = credits_book_in(ctx, tx, &booking);
    credits_require(ctx, &booking, change);
    return change->transaction_id;
}

static void require_balance(edge_ctx *ctx, edge_tx *tx, const char *user)
{
    edge_rows *credits =
        edge_tx_query(tx, "SELECT credits_available FROM user_credits WHERE user_id = $1", edge_text(user));
    int64_t balance = edge_rows_count(credits) > 0 ? edge_rows_int(credits, 0, "credits_available") : 0;
    if (balance < BALANCE_MIN)
        edge_fail_with(ctx, 402, "insufficient_credits", .message = "Insufficient credits",
            .extra = json_pack("{s:I, s:i}", "currentBalance", (json_int_t)balance, "required", BALANCE_MIN));
}

static void refuse_second(edge_ctx *ctx, edge_tx *tx, const char *user)
{
    edge_rows *open = edge_tx_query(tx,
        "SELECT id FROM role_play_session_logs"
        " WHERE user_id = $1 AND status IN ('pending_initiation', 'initiated')"
        " AND created_at > now() - interval '10 minutes'"
        " ORDER BY created_at DESC LIMIT 1",
        edge_text(user));
    if (edge_rows_count(open) > 0)
        edge_fail_with(ctx, 409, "session_in_progress", .message = "Another role-play call is in progress",
            .extra = json_pack("{s:s}", "sessionId", edge_rows_text(open, 0, "id")));
}

static void insert_session(
    edge_tx *tx, const struct role_play_call *call, const char *id, const char *prepayment)
{
    json_t *metadata = json_pack("{s:i}", "prepaid_credits", prepayment != NULL ? PREPAID : 0);
    voice_set(metadata, "prepaid_transaction_id", prepayment);
    voice_set(metadata, "scenario_name", call->scenario_name);
    voice_set(metadata, "client_persona", call->client_persona);
    voice_set(metadata, "initial_context", call->initial_context);
    edge_tx_send(tx,
        "INSERT INTO role_play_session_logs (id, user_id, scenario_id, status, metadata)"
        " VALUES ($1, $2, $3, 'pending_initiation', $4)",
        edge_uuid(id), edge_text(call->user), edge_uuid(call->scenario_id), edge_json(metadata));
}

struct role_play_session role_play_open(
    edge_ctx *ctx, const struct role_play_call *call, const struct role_play_order *order)
{
    const char *id = edge_uuid_v4(ctx), *prepayment = NULL;
    const char *keyed = order->key != NULL ? edge_format(ctx, "roleplay:%s:%s", call->user, order->key) : NULL;
    EDGE_TRANSACTION(ctx, tx, .service = true)
    {
        edge_tx_send(
            tx, "SELECT pg_advisory_xact_lock(hashtextextended('roleplay:' || $1, 0))", edge_text(call->user));
        edge_rows *known = edge_tx_query(tx,
            "SELECT coalesce(md5($1)::uuid, $2) AS id, s.id IS NOT NULL AS known, s.status, s.conversation_id,"
            " s.call_sid"
            " FROM (VALUES (1)) AS one LEFT JOIN role_play_session_logs AS s ON s.id = md5($1)::uuid",
            edge_text(keyed), edge_uuid(id));
        if (edge_rows_bool(known, 0, "known"))
            return (struct role_play_session){ .replay = replay_of(known) };
        id = edge_rows_text(known, 0, "id");

        refuse_second(ctx, tx, call->user);
        prepayment = NULL;
        if (!call->is_paid_tier && order->prepaid)
            prepayment = find_prepayment(tx, call->user);
        if (!call->is_paid_tier && order->prepaid && prepayment == NULL)
            prepayment = charge(ctx, tx, call->user, id);
        if (!call->is_paid_tier && !order->prepaid)
            require_balance(ctx, tx, call->user);
        insert_session(tx, call, id, prepayment);
    }
    return (struct role_play_session){ .id = id };
}

bool role_play_fail(edge_ctx *ctx, edge_tx *tx, const char *session_id, const json_t *patch,
    const char *const *from, size_t count)
{
    edge_rows *failed = edge_tx_query(tx,
        "UPDATE role_play_session_logs"
        " SET status = 'failed', ended_at = now(), metadata = coalesce(metadata, '{}') || $2"
        " WHERE id = $1 AND status = ANY($3)"
        " RETURNING user_id, CASE WHEN jsonb_typeof(metadata -> 'prepaid_credits') = 'number'"
        " THEN (metadata ->> 'prepaid_credits')::numeric::int ELSE 0 END AS prepaid",
        edge_uuid(session_id), edge_json(patch), edge_texts(from, count));
    if (edge_rows_count(failed) == 0)
        return false;

    int64_t prepaid = edge_rows_int(failed, 0, "prepaid");
    if (prepaid > 0)
        credits_book_in(ctx, tx,
            &(const struct credit_booking){
                .user = edge_rows_text(failed, 0, "user_id"),
                .operation = "refund",
                .amount = prepaid,
                .type = "refund",
                .description = "Role-play call that was not connected",
                .metadata = json_pack("{s:s}", "session_id", session_id),
                .key = edge_format(ctx, "roleplay/refund/%s", session_id),
            });
    return true;
}

/* The webhook may have overtaken this: a session that has gone further stays what it is. */
static void note_started(edge_ctx *ctx, const char *id, const struct voice_call *call, const json_t *details)
{
    edge_service_query(ctx,
        "UPDATE role_play_session_logs"
        " SET status = CASE WHEN status = 'pending_initiation' THEN 'initiated' ELSE status END,"
        " conversation_id = $2, call_sid = coalesce($3, call_sid), metadata = coalesce(metadata, '{}') || $4"
        " WHERE id = $1",
        edge_uuid(id), edge_text(call->conversation_id), edge_text(call->call_sid), edge_json(details));
}

void role_play_note(edge_ctx *ctx, const char *id, const struct voice_call *call, const json_t *details)
{
    static const char *const pending[] = { "pending_initiation" };
    if (call->started) {
        note_started(ctx, id, call, details);
        return;
    }
    const json_t *error = json_pack("{s:s}", "last_error", call->error);
    EDGE_TRANSACTION(ctx, tx, .service = true, .retries = 3)
    {
        if (call->timed_out)
            edge_tx_send(tx,
                "UPDATE role_play_session_logs SET metadata = coalesce(metadata, '{}') || $2 WHERE id = $1",
                edge_uuid(id), edge_json(error));
        else
            role_play_fail(ctx, tx, id, error, pending, 1);
    }
}
