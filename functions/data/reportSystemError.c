/*
 * reportSystemError: the front end and other functions report an error. A repeat is folded into the open record
 * of the same function, severity and message; a critical one is mailed to the administrator, once an hour.
 *
 * Two round trips; for a critical error three more and the mail, under a lease of the record's, so that of two
 * reports at the same time one sends.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/html.h"
#include "lib/lease.h"

enum {
    STACK_MAX = 20000,
    METADATA_MAX = 16384,
    PREVIEW_MAX = 4096,
    MAIL_MS = 5000,
    LEASE_SECONDS = 30,
};
static const int64_t quiet_us = 3600LL * 1000000;

#define DEFAULT_SENDER "Pulse AI <alerts@pulse.pwru.app>"

static const char *const severities[] = { "critical", "warning", "info", NULL };
static const char *const function_pattern[] = { "[A-Za-z0-9_.:/-]{1,128}", NULL };

static const edge_field input[] = {
    { "severity", EDGE_ENUM, .values = severities, .required = true, .help = "critical ones are mailed" },
    { "functionName", EDGE_PATTERN, .values = function_pattern, .required = true, .help = "Where it happened" },
    { "message", EDGE_TEXT, .min = 1, .max = 2000, .required = true, .help = "Repeats of it are counted" },
    { "stackTrace", EDGE_TEXT, .help = "Kept up to 20,000 characters" },
    { "userId", EDGE_USER, .help = "Whom it happened to; a user can name nobody else" },
    { "metadata", EDGE_JSON, .help = "Any JSON; a string that holds an object is read as one" },
    { 0 },
};

static const edge_field error_fields[] = {
    { "id", EDGE_UUID, .required = true, .help = "The error" },
    { "severity", EDGE_ENUM, .values = severities, .required = true, .help = "How bad it is" },
    { "function_name", EDGE_TEXT, .required = true, .help = "Where it happened" },
    { "message", EDGE_TEXT, .required = true, .help = "What happened" },
    { "stack_trace", EDGE_TEXT, .help = "Of the last report that had one" },
    { "user_id", EDGE_TEXT, .help = "Whom it happened to last" },
    { "metadata", EDGE_OBJECT, .required = true, .help = "Of all reports together" },
    { "occurrence_count", EDGE_INT, .required = true, .help = "How often" },
    { "created_at", EDGE_DATETIME, .help = "First time" },
    { "last_occurrence_at", EDGE_DATETIME, .required = true, .help = "This time" },
    { "resolved", EDGE_BOOL, .help = "Not true: it is still open" },
    { "resolved_at", EDGE_DATETIME, .help = "When it was dealt with" },
    { "resolved_by", EDGE_TEXT, .help = "By which administrator" },
    { 0 },
};

static const edge_field output[] = {
    { "success", EDGE_BOOL, .required = true, .help = "true" },
    { "error", EDGE_OBJECT, .fields = error_fields, .required = true, .help = "The record as it is now" },
    { "notified", EDGE_BOOL, .required = true, .help = "Whether the administrator was mailed now" },
    { 0 },
};

/* What came as an object: anything else is put into one. */
static json_t *as_object(edge_ctx *ctx, json_t *metadata)
{
    if (metadata == NULL || json_is_object(metadata))
        return metadata != NULL ? metadata : json_object();
    if (!json_is_string(metadata))
        return json_pack("{s:O}", "value", metadata);
    json_t *parsed = edge_json_parse(ctx, json_string_value(metadata), json_string_length(metadata));
    if (json_is_object(parsed))
        return parsed;
    return parsed != NULL ? json_pack("{s:o}", "value", parsed) : json_pack("{s:O}", "raw", metadata);
}

static json_t *metadata_of(edge_ctx *ctx, json_t *in)
{
    json_t *metadata = as_object(ctx, json_object_get(in, "metadata"));
    size_t length;
    const char *text = edge_json_dump(ctx, metadata, &length);
    if (length > METADATA_MAX)
        metadata = json_pack("{s:b, s:s}", "truncated", 1, "preview", text_cut(ctx, text, PREVIEW_MAX));
    json_object_del(metadata, "last_notified_at"); /* ours alone */
    return metadata;
}

/*
 * Under the lock that the statement before has taken. Folding metadata starts anew beyond 64 KiB: the members
 * of repeats would add up without end. Somebody without a profile is named in the metadata.
 */
static const char fold_sql[] =
    "WITH reporter AS ("
    " SELECT r.id, $6 || CASE WHEN $5 IS NOT NULL AND r.id IS NULL"
    "  THEN jsonb_build_object('reported_user_id', $5) ELSE '{}' END AS metadata"
    " FROM (VALUES (1)) AS one LEFT JOIN profiles AS r ON r.id = $5"
    "), newest AS ("
    " SELECT id FROM system_errors"
    " WHERE function_name = $1 AND severity = $2 AND message = $3 AND resolved IS NOT TRUE"
    " ORDER BY last_occurrence_at DESC, id DESC LIMIT 1"
    "), updated AS ("
    " UPDATE system_errors AS e"
    " SET occurrence_count = least(coalesce(occurrence_count, 1), 2147483646) + 1,"
    " last_occurrence_at = clock_timestamp(),"
    " metadata = CASE WHEN jsonb_typeof(e.metadata) <> 'object' THEN '{}'"
    "  WHEN octet_length(e.metadata::text) > 65536"
    "  THEN jsonb_strip_nulls(jsonb_build_object('last_notified_at', e.metadata -> 'last_notified_at'))"
    "  ELSE coalesce(e.metadata, '{}') END || reporter.metadata,"
    " stack_trace = coalesce($4, stack_trace), user_id = coalesce(reporter.id, user_id)"
    " FROM newest, reporter WHERE e.id = newest.id"
    " RETURNING e.*"
    "), inserted AS ("
    " INSERT INTO system_errors (function_name, severity, message, stack_trace, user_id, metadata)"
    " SELECT $1, $2, $3, $4, reporter.id, reporter.metadata FROM reporter WHERE NOT EXISTS (SELECT FROM newest)"
    " RETURNING *"
    ")"
    " SELECT * FROM updated UNION ALL SELECT * FROM inserted";

static json_t *record(edge_ctx *ctx, json_t *in)
{
    edge_arg function = edge_text(edge_json_text(in, "functionName")),
             severity = edge_text(edge_json_text(in, "severity")),
             message = edge_text(edge_json_text(in, "message"));
    const char *stack = edge_json_text(in, "stackTrace");
    edge_rows *rows[2];
    edge_service_query_batch(ctx, rows,
        EDGE_SQL("SELECT pg_advisory_xact_lock(hashtextextended("
                 "'reportSystemError' || jsonb_build_array($1, $2, $3)::text, 0))",
            function, severity, message),
        EDGE_SQL(fold_sql, function, severity, message,
            edge_text(stack != NULL ? text_cut(ctx, stack, STACK_MAX) : NULL),
            edge_text(edge_auth_try_user(ctx)), edge_json(metadata_of(ctx, in))));
    return edge_row_json(rows[1], 0);
}

/* What the mail says of an error, as label and value. */
struct line {
    const char *label, *value;
};

enum {
    LINES = 8,
};

static void describe(edge_ctx *ctx, json_t *error, struct line lines[LINES])
{
    const char *user = edge_json_text(error, "user_id"), *stack = edge_json_text(error, "stack_trace");
    const struct line all[LINES] = {
        { "Function", edge_json_text(error, "function_name") },
        { "Message", edge_json_text(error, "message") },
        { "Severity", edge_json_text(error, "severity") },
        { "Last seen", edge_json_text(error, "last_occurrence_at") },
        { "User", user != NULL ? user : "none" },
        { "Occurrences", edge_format(ctx, "%lld", (long long)edge_json_int(error, "occurrence_count", 1)) },
        { "Metadata", json_dumps(json_object_get(error, "metadata"), JSON_INDENT(2)) },
        { "Stack trace", stack != NULL ? stack : "none" },
    };
    memcpy(lines, all, sizeof all);
}

static json_t *mail(edge_ctx *ctx, json_t *error, const char *to)
{
    struct line lines[LINES];
    describe(ctx, error, lines);
    struct text html = { .ctx = ctx }, text = { .ctx = ctx };
    text_add(&html, "<h2>A critical error was reported</h2><table cellpadding=\"6\">");
    text_add(&text, "A critical error was reported\n");
    for (size_t i = 0; i < LINES; i++) {
        text_add_format(&html, "<tr><th align=\"left\" valign=\"top\">%s</th><td><pre>", lines[i].label);
        html_add(&html, lines[i].value);
        text_add(&html, "</pre></td></tr>");
        text_add_format(&text, "\n%s: %s\n", lines[i].label, lines[i].value);
    }
    text_add(&html, "</table>");

    const char *from = edge_env(ctx, "RESEND_FROM_EMAIL");
    /* The function's name has no line breaks: its pattern has none. */
    const char *subject = edge_format(ctx, "[Pulse AI] Critical error in %s", lines[0].value);
    return json_pack("{s:s, s:[s], s:s, s:s, s:s}", "from", from != NULL ? from : DEFAULT_SENDER, "to", to,
        "subject", subject, "html", text_value(&html), "text", text_value(&text));
}

/* Whether nobody was told in the last hour. Both are ISO 8601 in UTC, so they compare as texts. */
static bool is_due(edge_ctx *ctx, const char *id)
{
    edge_rows *due = edge_service_query(ctx,
        "SELECT id FROM system_errors"
        " WHERE id = $1 AND coalesce(metadata ->> 'last_notified_at', '') <= $2 COLLATE \"C\"",
        edge_uuid(id), edge_text(edge_iso_time(ctx, edge_now(ctx) - quiet_us)));
    return edge_rows_count(due) > 0;
}

/* Sends the mail if one is to be sent. The record as it is then, NULL when nobody was told. */
static json_t *notify(edge_ctx *ctx, json_t *error)
{
    const char *to = edge_env(ctx, "ADMIN_ERROR_NOTIFICATION_EMAIL"), *id = edge_json_text(error, "id");
    bool critical = strcmp(edge_json_text(error, "severity"), "critical") == 0;
    if (!critical || to == NULL || edge_env(ctx, "RESEND_API_KEY") == NULL)
        return NULL;
    struct lease *lease = lease_take(ctx, edge_format(ctx, "reportSystemError/%s", id), LEASE_SECONDS);
    if (lease == NULL || !is_due(ctx, id))
        return NULL;

    edge_reply *reply = edge_try_fetch(ctx, "resend", .method = "POST", .path = "/emails",
        .json = mail(ctx, error, to), .timeout_ms = MAIL_MS, .retries = -1);
    if (reply->failure != EDGE_HTTP_OK || reply->status < 200 || reply->status > 299) {
        edge_log(ctx, EDGE_LOG_WARN, "error_mail_not_sent", { "status", edge_int(reply->status) },
            { "detail", edge_text(reply->message) });
        return NULL;
    }
    edge_rows *rows = edge_service_query(ctx,
        "UPDATE system_errors"
        " SET metadata = coalesce(metadata, '{}') || jsonb_build_object('last_notified_at', $2)"
        " WHERE id = $1 RETURNING *",
        edge_uuid(id), edge_text(edge_iso_time(ctx, edge_now(ctx))));
    return edge_rows_count(rows) > 0 ? edge_row_json(rows, 0) : error;
}

static json_t *report_system_error(edge_ctx *ctx, json_t *in)
{
    json_t *error = record(ctx, in), *notified = notify(ctx, error);
    return json_pack("{s:b, s:o, s:b}", "success", 1, "error", notified != NULL ? notified : error, "notified",
        notified != NULL);
}

EDGE_FUNCTION(reportSystemError,
    .summary = "Records an error, and mails critical ones to the administrator",
    .input = input,
    .output = output,
    .handle = report_system_error,
    .service_without_user = true);
