/*
 * The rows of a purchase. One user's purchases are opened one after the other, under an advisory lock; a row
 * that is pending counts as a number, so two keys cannot buy at once what only one may have.
 */
#include "lib/phone_purchase_row.h"

#include <stdlib.h>
#include <string.h>

#include "lib/voice.h"

enum {
    PENDING_S = 120, /* longer than a purchase takes: older ones were cut off */
    WRITES = 4,
    WRITE_PAUSE_MS = 100,
};

static int64_t numbers_max(edge_ctx *ctx)
{
    const char *text = edge_env(ctx, "TWILIO_MAX_NUMBERS_PER_USER");
    int64_t max = text != NULL ? strtoll(text, NULL, 10) : 1;
    return max > 0 ? max : 1;
}

EDGE_NORETURN static void fail_in_progress(edge_ctx *ctx)
{
    edge_fail_with(ctx, 409, "in_progress", .message = "A purchase is under way",
        .suggestion = "Try again in two minutes with the same key", .retry_after_seconds = PENDING_S);
}

static void read_config(edge_tx *tx, struct phone_purchase *purchase, struct voice_config *config)
{
    *config = voice_config_of(edge_tx_query(tx, VOICE_CONFIG_SQL, edge_text(purchase->user)));
    purchase->agent_id = config->agent_id;
    if (purchase->agent_id == NULL)
        purchase->agent_id = edge_env(purchase->ctx, "ELEVEN_LABS_DEFAULT_AGENT_ID");
}

/*
 * Whether the user may have another number. A purchase of another key that was cut off has to be settled first:
 * it becomes this invocation's.
 */
static void meet_others(edge_tx *tx, struct phone_purchase *purchase, const struct voice_config *config)
{
    edge_ctx *ctx = purchase->ctx;
    edge_rows *others = edge_tx_query(tx,
        "SELECT id, status, action_data ->> 'phone_number' AS number, action_data ->> 'sid' AS sid,"
        " executed_at > clock_timestamp() - make_interval(secs => $3) AS recent"
        " FROM ai_actions_log"
        " WHERE user_id = $1 AND action_type = 'purchase_phone_number' AND id <> $2"
        " AND status IN ('success', 'pending')"
        " ORDER BY status = 'pending', executed_at DESC",
        edge_text(purchase->user), edge_uuid(purchase->id), edge_int(PENDING_S));

    size_t count = edge_rows_count(others), bought = 0;
    while (bought < count && strcmp(edge_rows_text(others, bought, "status"), "success") == 0)
        bought++;
    int64_t held = (int64_t)bought, max = numbers_max(ctx);
    if (held == 0 && config->twilio_sid != NULL)
        held = 1;
    if (held >= max) {
        const char *number = config->phone_number;
        if (number == NULL && bought > 0)
            number = edge_rows_text(others, 0, "number");
        edge_fail_with(ctx, 409, "number_limit_reached", .message = "This account has its phone number already",
            .extra = json_pack("{s:s?}", "phoneNumber", number));
    }
    if (held + (int64_t)(count - bought) < max)
        return;

    /* The oldest is last. */
    if (edge_rows_bool(others, count - 1, "recent"))
        fail_in_progress(ctx);
    purchase->others = true;
    purchase->step = PHONE_SETTLE;
    purchase->id = edge_rows_text(others, count - 1, "id");
    purchase->number = edge_rows_text(others, count - 1, "number");
    purchase->sid = edge_rows_text(others, count - 1, "sid");
}

/* Reads the row of this key; false when it has to be bought: there is none, or it failed. */
static bool read_row(edge_ctx *ctx, const edge_rows *row, struct phone_purchase *purchase)
{
    const char *status = edge_rows_text(row, 0, "status"), *number = edge_rows_text(row, 0, "number");
    if (status == NULL)
        return false;
    if (number == NULL || strcmp(number, purchase->number) != 0)
        edge_fail(ctx, 409, "idempotency_conflict", "The idempotency key was used for another number");
    purchase->tried = true;
    if (strcmp(status, "failed") == 0)
        return false;
    if (strcmp(status, "pending") == 0) {
        if (edge_rows_bool(row, 0, "recent"))
            fail_in_progress(ctx);
        purchase->step = PHONE_SETTLE;
        purchase->sid = edge_rows_text(row, 0, "sid");
        return true;
    }
    purchase->response = edge_rows_value(row, 0, "response");
    purchase->sid = edge_json_text(purchase->response, "sid");
    purchase->line_id = edge_json_text(purchase->response, "elevenLabsTwilioNumberId");
    purchase->step = purchase->line_id != NULL ? PHONE_REPLAY : PHONE_IMPORT;
    return true;
}

/* The row is this invocation's from here on: whoever comes within two minutes finds it in progress. */
static void take_row(edge_tx *tx, const struct phone_purchase *purchase, const char *key)
{
    edge_tx_send(tx,
        "INSERT INTO ai_actions_log (id, user_id, action_type, action_data, status, executed_at)"
        " VALUES ($1, $2, 'purchase_phone_number', $3, 'pending', clock_timestamp())"
        " ON CONFLICT (id) DO UPDATE"
        " SET status = 'pending', error_message = NULL, executed_at = EXCLUDED.executed_at",
        edge_uuid(purchase->id), edge_text(purchase->user),
        edge_json(json_pack(
            "{s:s?, s:s, s:s}", "idempotency_key", key, "phone_number", purchase->number, "step", "purchase")));
}

struct phone_purchase phone_purchase_open(edge_ctx *ctx, const char *user, const struct phone_wish *wish)
{
    struct phone_purchase purchase = {
        .ctx = ctx, .function = wish->function, .user = user, .number = wish->number, .step = PHONE_BUY
    };
    const char *text = edge_format(ctx, "purchaseTwilioNumber:%s:%s", user, wish->key);
    EDGE_TRANSACTION(ctx, tx, .service = true)
    {
        struct voice_config config;
        edge_tx_send(
            tx, "SELECT pg_advisory_xact_lock(hashtextextended('phone-purchase:' || $1, 0))", edge_text(user));
        edge_rows *row = edge_tx_query(tx,
            "SELECT k.id, l.status, l.action_data ->> 'phone_number' AS number, l.action_data ->> 'sid' AS sid,"
            " l.action_data -> 'response' AS response,"
            " l.executed_at > clock_timestamp() - make_interval(secs => $2) AS recent"
            " FROM (SELECT md5($1)::uuid AS id) AS k"
            " LEFT JOIN ai_actions_log AS l ON l.id = k.id",
            edge_text(text), edge_int(PENDING_S));
        purchase.id = edge_rows_text(row, 0, "id");
        read_config(tx, &purchase, &config);

        if (!read_row(ctx, row, &purchase))
            meet_others(tx, &purchase, &config);
        if (purchase.step == PHONE_BUY || purchase.step == PHONE_SETTLE)
            take_row(tx, &purchase, wish->key);
    }
    return purchase;
}

void phone_purchase_note(const struct phone_purchase *purchase)
{
    edge_error error;
    if (edge_try_service_query(purchase->ctx, &error,
            "UPDATE ai_actions_log SET action_data = action_data || $2 WHERE id = $1 AND status = 'pending'",
            edge_uuid(purchase->id),
            edge_json(json_pack("{s:s, s:s}", "step", "import", "sid", purchase->sid))) == NULL)
        edge_log(purchase->ctx, EDGE_LOG_WARN, "purchase_note_failed", { "detail", edge_text(error.detail) });
}

void phone_purchase_fail(const struct phone_purchase *purchase, const char *reason)
{
    edge_service_query(purchase->ctx,
        "UPDATE ai_actions_log SET status = 'failed', error_message = $2 WHERE id = $1 AND status = 'pending'",
        edge_uuid(purchase->id), edge_text(reason));
}

/* The money is spent: what has to be repaired by hand is told where administrators look. */
EDGE_NORETURN static void fail_write(const struct phone_purchase *purchase, const edge_error *failure)
{
    edge_ctx *ctx = purchase->ctx;
    edge_error error;
    json_t *facts = json_pack("{s:s, s:s}", "phoneNumber", purchase->number, "sid", purchase->sid);
    edge_log(ctx, EDGE_LOG_ERROR, "purchase_not_written", { "sid", edge_text(purchase->sid) },
        { "detail", edge_text(failure->detail) });
    if (edge_try_service_query(ctx, &error,
            "INSERT INTO system_errors (severity, function_name, message, user_id, metadata)"
            " VALUES ('critical', $1, 'A phone number was bought and could not be written', $2, $3)",
            edge_text(purchase->function), edge_text(purchase->user), edge_json(facts)) == NULL)
        edge_log(ctx, EDGE_LOG_ERROR, "system_error_not_written", { "detail", edge_text(error.detail) });
    edge_fail_with(ctx, 500, "config_write_failed",
        .message = "The number was bought, but could not be written down",
        .suggestion = "Try again in two minutes with the same key: nothing is bought twice", .extra = facts);
}

void phone_purchase_finish(const struct phone_purchase *purchase, const json_t *response)
{
    edge_rows *rows[2];
    edge_error error;
    for (int attempt = 1;; attempt++) {
        if (edge_try_service_query_batch(purchase->ctx, &error, rows,
                EDGE_SQL("INSERT INTO agent_config (user_id, agent_type, settings, eleven_labs_phone_number_id)"
                         " VALUES ($1, 'sales_agent', $2, $3)"
                         " ON CONFLICT (user_id, agent_type) DO UPDATE"
                         " SET settings = agent_config.settings || EXCLUDED.settings,"
                         " eleven_labs_phone_number_id = coalesce(EXCLUDED.eleven_labs_phone_number_id,"
                         " agent_config.eleven_labs_phone_number_id)",
                    edge_text(purchase->user),
                    edge_json(json_pack(
                        "{s:s, s:s}", "twilio_phone_number", purchase->number, "twilio_sid", purchase->sid)),
                    edge_text(purchase->line_id)),
                EDGE_SQL("UPDATE ai_actions_log"
                         " SET status = 'success', error_message = NULL, action_data = action_data || $2"
                         " WHERE id = $1",
                    edge_uuid(purchase->id),
                    edge_json(json_pack("{s:s, s:O}", "step", "done", "response", response)))))
            return;
        if (attempt == WRITES)
            fail_write(purchase, &error);
        edge_sleep(purchase->ctx, (int64_t)WRITE_PAUSE_MS << attempt);
    }
}
