/*
 * sendEmail: the support widget writes to support (or the caller to themselves); other functions send
 * transactional mail with the service key. Logged in email_delivery_logs; with an idempotency key sent once.
 *
 * Three round trips to the database: who asks, limit and claim in one transaction, the outcome.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/field.h"
#include "lib/html.h"
#include "lib/idempotency.h"
#include "lib/mail_log.h"
#include "lib/resend.h"

enum {
    RECIPIENTS_MAX = 50,
    PER_HOUR = 5,
    HOUR_S = 3600,
};

#define SUPPORT_EMAILS "support@pulseai.com"

static const edge_field input[] = {
    { "userId", EDGE_USER, .help = "Whose mail it is in the log" },
    { "to", EDGE_JSON, .required = true, .help = "Address; under the service key also an array of 1 to 50" },
    { "subject", EDGE_TEXT, .min = 1, .max = 200, .required = true, .help = "Subject line" },
    { "body", EDGE_TEXT, .min = 1, .max = 20000, .required = true, .help = "Plain text" },
    { "replyTo", EDGE_EMAIL, .help = "Service key only: where answers go" },
    { "idempotencyKey", EDGE_TEXT, .help = "A repeated request with it sends no second mail" },
    { 0 },
};

static const edge_field output[] = {
    { "success", EDGE_BOOL, .required = true, .help = "true" },
    { "id", EDGE_UUID, .required = true, .help = "Row of email_delivery_logs" },
    { "messageId", EDGE_TEXT, .help = "The mail service's id" },
    { "replayed", EDGE_BOOL, .help = "true: sent by an earlier call with this idempotency key" },
    { 0 },
};

/* One address, trimmed, or a list of them; what the mail takes. */
static json_t *read_recipients(edge_ctx *ctx, const json_t *value, bool many)
{
    json_t *list = many && json_is_array(value) ? json_copy((json_t *)value) : json_pack("[O]", value);
    if (json_array_size(list) < 1 || json_array_size(list) > RECIPIENTS_MAX)
        field_fail(ctx, "to", "must have 1 to %d addresses", RECIPIENTS_MAX);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *address = json_string_value(json_array_get(list, i));
        if (address != NULL)
            address = text_trim(ctx, address);
        if (address == NULL || !edge_is_email(address))
            field_fail(ctx, "to", "must be an e-mail address%s", many ? ", or an array of them" : "");
        json_array_set_new(list, i, json_string(address));
    }
    return list;
}

static json_t *check(edge_ctx *ctx, const json_t *in, const edge_field *field, json_t *value)
{
    (void)in;
    if (field_is(field, "to"))
        return read_recipients(ctx, value, edge_auth_caller(ctx) == EDGE_CALLER_SERVICE);
    return value;
}

struct letter {
    edge_ctx *ctx;
    const json_t *in;
    bool service;
    const char *user;         /* NULL for the service without one */
    const char *name, *email; /* of the user; may be NULL */
    const char *key, *log_id;
};

/* Reads who sends. As the user, so the profile is the caller's own. */
static void read_sender(struct letter *letter)
{
    edge_ctx *ctx = letter->ctx;
    if (letter->user == NULL)
        return;
    edge_rows *profile =
        edge_query(ctx, "SELECT full_name, email FROM profiles WHERE id = $1", edge_text(letter->user));
    if (edge_rows_count(profile) == 0)
        edge_fail(ctx, 404, "user_not_found", "User \"%s\" does not exist", letter->user);
    letter->name = edge_rows_text(profile, 0, "full_name");
    letter->email = edge_rows_text(profile, 0, "email");
}

static bool is_support(edge_ctx *ctx, const char *address)
{
    const char *list = edge_env(ctx, "SUPPORT_EMAILS");
    for (const char *at = list != NULL ? list : SUPPORT_EMAILS; *at != '\0';) {
        size_t length = strcspn(at, ",");
        if (strcasecmp(text_trim(ctx, edge_copy_bytes(ctx, at, length)), address) == 0)
            return true;
        at += length + (at[length] == ',');
    }
    return false;
}

/* Anybody may sign in, so a user writes to support and to themselves only: this is no relay. */
static void check_recipient(const struct letter *letter)
{
    edge_ctx *ctx = letter->ctx;
    const char *to = json_string_value(json_array_get(json_object_get(letter->in, "to"), 0));
    bool own = letter->email != NULL && strcasecmp(letter->email, to) == 0;
    if (!letter->service && !own && !is_support(ctx, to))
        edge_fail(ctx, 403, "recipient_not_allowed", "Mail can be sent to support or to your own address only");
}

/* Under the user's lock. Mails that are on their way count, so that five at once are five. */
static void check_limit(edge_tx *tx, const struct letter *letter)
{
    edge_rows *recent = edge_tx_query(tx,
        "SELECT count(*) AS count,"
        " ceil(extract(epoch FROM min(at) + interval '1 hour' - now()))::integer AS wait"
        " FROM (SELECT coalesce(sent_at, (metadata ->> 'claimedAt')::timestamptz) AS at"
        " FROM email_delivery_logs"
        " WHERE user_id = $1 AND email_type = 'support' AND id <> $2"
        " AND (sent_at IS NOT NULL OR metadata ->> 'status' = 'sending')) AS mails"
        " WHERE at > now() - interval '1 hour'",
        edge_text(letter->user), edge_uuid(letter->log_id));
    int64_t wait = edge_rows_int(recent, 0, "wait");
    if (edge_rows_int(recent, 0, "count") >= PER_HOUR)
        edge_fail_with(letter->ctx, 429, "rate_limited", .message = "At most five messages an hour",
            .retry_after_seconds = wait > 0 && wait <= HOUR_S ? (int)wait : HOUR_S);
}

EDGE_NORETURN static void fail_claimed(edge_ctx *ctx, const edge_rows *row)
{
    const char *error = edge_rows_text(row, 0, "error");
    if (edge_rows_bool(row, 0, "permanent"))
        edge_fail_with(ctx, 422, "email_rejected", .message = "The mail was refused under this key",
            .extra = json_pack("{s:s?}", "details", error));
    if (error != NULL)
        edge_fail_with(ctx, 502, "email_failed", .message = "The mail failed too often under this key",
            .extra = json_pack("{s:s}", "details", error));
    edge_fail(ctx, 409, "in_progress", "This mail is being sent");
}

/* The mail is this invocation's to send: true; it was sent before: false. */
static bool claim(struct letter *letter)
{
    edge_ctx *ctx = letter->ctx;
    const char *type = letter->service ? "transactional" : "support";
    const char *owner = letter->service ? "service" : letter->user;
    const json_t *metadata = json_pack("{s:O, s:O}", "to", json_object_get(letter->in, "to"), "subject",
        json_object_get(letter->in, "subject"));
    bool sent = false;
    EDGE_TRANSACTION(ctx, tx, .service = true)
    {
        edge_tx_send(
            tx, "SELECT pg_advisory_xact_lock(hashtextextended('send-email:' || $1, 0))", edge_text(owner));
        edge_rows *row = edge_tx_query(tx,
            "SELECT k.id, l.metadata ->> 'status' = 'sent' AS sent, l.metadata ->> 'lastError' AS error,"
            " l.metadata ->> 'permanent' = 'true' AS permanent"
            " FROM (SELECT coalesce(md5('email:' || $1 || ':' || $2)::uuid, gen_random_uuid()) AS id) AS k"
            " LEFT JOIN email_delivery_logs AS l ON l.id = k.id",
            edge_text(owner), edge_text(letter->key));
        letter->log_id = edge_rows_text(row, 0, "id");
        sent = edge_rows_bool(row, 0, "sent");
        if (!sent && !letter->service)
            check_limit(tx, letter);
        if (!sent && edge_rows_count(edge_tx_query(tx, MAIL_LOG_CLAIM_SQL, edge_uuid(letter->log_id),
                         edge_text(letter->user), edge_text(type), edge_null(), edge_json(metadata))) == 0)
            fail_claimed(ctx, row);
    }
    return !sent;
}

/* Who wrote, for those who answer; only what is known. */
static const char *signature(const struct letter *letter)
{
    struct text lines = { .ctx = letter->ctx };
    if (letter->name != NULL)
        text_add_format(&lines, "From: %s\n", letter->name);
    if (letter->email != NULL)
        text_add_format(&lines, "E-mail: %s\n", letter->email);
    text_add_format(&lines, "User: %s", letter->user);
    return text_value(&lines);
}

static struct resend_result send(const struct letter *letter)
{
    edge_ctx *ctx = letter->ctx;
    const char *body = edge_json_text(letter->in, "body");
    struct text html = { .ctx = ctx }, text = { .ctx = ctx };
    text_add(&text, body);
    text_add(&html, "<p>");
    html_add_lines(&html, body);
    text_add(&html, "</p>");
    if (!letter->service) {
        text_add_format(&text, "\n\n-- \n%s\n", signature(letter));
        text_add(&html, "<hr><p>");
        html_add_lines(&html, signature(letter));
        text_add(&html, "</p>");
    }
    return resend_send(ctx,
        &(const struct resend_mail){
            .to = json_object_get(letter->in, "to"),
            .subject = edge_json_text(letter->in, "subject"),
            .html = text_value(&html),
            .text = text_value(&text),
            .reply_to = letter->service ? edge_json_text(letter->in, "replyTo") : letter->email,
            .key = letter->log_id,
        },
        NULL);
}

EDGE_NORETURN static void fail_send(edge_ctx *ctx, const struct resend_result *result)
{
    edge_log(ctx, EDGE_LOG_WARN, "email_not_sent", { "status", edge_int(result->status) },
        { "error", edge_text(result->message) });
    json_t *details = json_pack("{s:s}", "details", result->message);
    if (result->status == 401 || result->status == 403)
        edge_fail_with(ctx, 503, "email_unauthorized",
            .message = "The mail service does not accept this server's key", .extra = details);
    if (result->outcome == RESEND_REJECTED)
        edge_fail_with(
            ctx, 422, "email_rejected", .message = "The mail service refused this mail", .extra = details);
    if (result->outcome == RESEND_RATE_LIMITED)
        edge_fail_with(ctx, 429, "provider_rate_limited",
            .message = "The mail service is asked too often, try again in a moment",
            .retry_after_seconds = result->retry_after_seconds, .extra = details);
    edge_fail_with(ctx, 502, "email_failed", .message = "The mail could not be sent", .extra = details);
}

static json_t *send_email(edge_ctx *ctx, json_t *in)
{
    struct letter letter = {
        .ctx = ctx,
        .in = in,
        .service = edge_auth_caller(ctx) == EDGE_CALLER_SERVICE,
        .user = edge_auth_try_user(ctx),
        .key = idempotency_key(ctx, in),
    };
    resend_require_key(ctx);
    read_sender(&letter);
    check_recipient(&letter);
    if (!claim(&letter))
        return json_pack("{s:b, s:s, s:b}", "success", 1, "id", letter.log_id, "replayed", 1);

    struct resend_result result = send(&letter);
    if (result.outcome != RESEND_SENT) {
        mail_log_failed(ctx, letter.log_id, result.outcome == RESEND_REJECTED, result.message);
        fail_send(ctx, &result);
    }
    mail_log_sent(ctx, letter.log_id, result.id, NULL);
    return json_pack("{s:b, s:s, s:s?}", "success", 1, "id", letter.log_id, "messageId", result.id);
}

EDGE_FUNCTION(sendEmail,
    .summary = "Mail to support, or with the service key to anybody",
    .input = input,
    .output = output,
    .check = check,
    .trims = true,
    .handle = send_email,
    .service_without_user = true);
