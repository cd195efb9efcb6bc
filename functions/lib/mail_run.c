/*
 * A scheduled mail run from its input to its answer. Its lease only protects the rate: that a mail goes out
 * once rests on the claim of its row.
 */
#include "lib/mail_run.h"

#include <stdlib.h>
#include <string.h>

#include "lib/field.h"
#include "lib/iso_time.h"
#include "lib/lease.h"
#include "lib/mail_run_state.h"

enum {
    BUDGET_MS = 50000,
    LAST_MAIL_S = 150, /* what is in flight when the budget is used up: attempts and the waits between them */
    USERS_MAX = 500,
};

static const edge_field user_field = { .name = "user", .type = EDGE_TEXT, .min = 1, .max = 255 };
const edge_field mail_run_input[] = {
    { "now", EDGE_DATETIME, .help = "The run's instant; the clock's unless it is given" },
    { "force", EDGE_BOOL, .fallback = "false",
        .help = "Also outside of the local hours; never twice a period" },
    { "dryRun", EDGE_BOOL, .fallback = "false",
        .help = "Nothing is fetched or sent; the answer has a preview" },
    { "userIds", EDGE_ARRAY, .min = 1, .max = USERS_MAX, .items = &user_field, .help = "For these users only" },
    { "batchSize", EDGE_INT, .min = 1, .max = 500, .fallback = "200", .help = "Users read at a time" },
    { 0 },
};

static const char *const run_statuses[] = { "completed", "partial", "already_running", NULL };
static const edge_field skipped_count = { .type = EDGE_INT };
static const char *const failure_codes[] = { "email_rejected", "rate_limited", "provider_failed", NULL };
static const edge_field failure_fields[] = {
    { "userId", EDGE_TEXT, .required = true, .help = "Whose mail" },
    { "code", EDGE_ENUM, .values = failure_codes, .required = true, .help = "Kind of failure" },
    { "error", EDGE_TEXT, .required = true, .help = "The mail service's words" },
    { 0 },
};
static const edge_field failure_item = { .type = EDGE_OBJECT, .fields = failure_fields };
static const edge_field preview_fields[] = {
    { "userId", EDGE_TEXT, .required = true, .help = "Whose mail" },
    { "subject", EDGE_TEXT, .required = true, .help = "Its subject line" },
    { "period", EDGE_TEXT, .required = true, .help = "Day or week that it is for" },
    { 0 },
};
static const edge_field preview_item = { .type = EDGE_OBJECT, .fields = preview_fields };

const edge_field mail_run_output[] = {
    { "sent", EDGE_INT, .required = true, .help = "Mails that went out" },
    { "failed", EDGE_INT, .required = true, .help = "Mails that did not" },
    { "skipped", EDGE_INT, .required = true, .help = "Users for whom there was none" },
    { "alreadySent", EDGE_INT, .required = true, .help = "Users who have had this period's" },
    { "notDue", EDGE_INT, .required = true, .help = "Users whose local time is another" },
    { "considered", EDGE_INT, .required = true, .help = "Users looked at" },
    { "status", EDGE_ENUM, .values = run_statuses, .required = true, .help = "How the run ended" },
    { "hasMore", EDGE_BOOL, .required = true, .help = "Whether the time ran out before the users did" },
    { "skippedReasons", EDGE_MAP, .items = &skipped_count, .required = true, .help = "Users by code" },
    { "failures", EDGE_ARRAY, .items = &failure_item, .required = true, .help = "The first ones" },
    { "durationMs", EDGE_INT, .required = true, .help = "How long it took" },
    { "preview", EDGE_ARRAY, .items = &preview_item, .help = "With dryRun: the first mails" },
    { 0 },
};

const char *mail_lines(edge_ctx *ctx, const edge_rows *rows, size_t row, const char *column, const char *none)
{
    size_t count;
    const char *const *lines = edge_rows_texts(rows, row, column, &count);
    struct text text = { .ctx = ctx };
    for (size_t i = 0; i < count; i++)
        text_add_format(&text, "%s%s", i > 0 ? "\n" : "", lines[i]);
    return count > 0 ? text_value(&text) : none;
}

const char *mail_trend(int64_t before, int64_t after)
{
    return after > before ? "up" : after < before ? "down" : "flat";
}

static int64_t instant(edge_ctx *ctx, const json_t *in)
{
    int64_t now;
    const char *text = edge_json_text(in, "now");
    if (text == NULL)
        return edge_now(ctx);
    if (!iso_time_read(text, &now))
        field_fail(ctx, "now", "must be a time in ISO 8601");
    return now;
}

static int64_t budget_ms(edge_ctx *ctx)
{
    const char *text = edge_env(ctx, "EMAIL_RUN_BUDGET_MS");
    int64_t budget = text != NULL ? strtoll(text, NULL, 10) : BUDGET_MS;
    return budget > 0 ? budget : BUDGET_MS;
}

/* The zones that there are among the users': the view reads the whole tz database, so it is asked once a run.
 */
static void read_zones(struct mail_run *run, const edge_rows *rows)
{
    size_t count = edge_rows_count(rows);
    const char **zones = edge_alloc(run->ctx, (count + 1) * sizeof *zones);
    for (size_t i = 0; i < count; i++)
        zones[i] = edge_rows_text(rows, i, "name");
    run->zones = zones;
    run->zones_count = count;
}

static void read_layout(struct mail_run *run, const edge_rows *template)
{
    edge_ctx *ctx = run->ctx;
    const char *app = resend_app_url(ctx);
    run->layout = (struct mail_layout){
        .button = run->kind->button,
        .button_url = edge_format(ctx, "%s%s", app, run->kind->button_path),
        .reason = run->kind->reason,
        .preferences_url = edge_format(ctx, "%s/settings?tab=notifications", app),
        .postal_address = edge_env(ctx, "EMAIL_POSTAL_ADDRESS"),
    };
    if (edge_rows_count(template) == 0)
        return;
    run->layout.subject_template = edge_rows_text(template, 0, "subject");
    run->layout.html_template = edge_rows_text(template, 0, "body_html");
    run->layout.text_template = edge_rows_text(template, 0, "body_text");
}

static void begin(struct mail_run *run)
{
    edge_ctx *ctx = run->ctx;
    edge_rows *rows[2];
    edge_service_query_batch(ctx, rows,
        EDGE_SQL("SELECT subject, body_html, body_text FROM email_templates"
                 " WHERE template_key = $1 AND is_active",
            edge_text(run->kind->template_key)),
        EDGE_SQL("SELECT name FROM pg_timezone_names"
                 " WHERE name IN (SELECT timezone FROM user_preferences)"));
    read_layout(run, rows[0]);
    read_zones(run, rows[1]);

    const json_t *only = json_object_get(run->in, "userIds");
    run->only_count = json_array_size(only);
    run->only = only != NULL ? edge_alloc(ctx, (run->only_count + 1) * sizeof *run->only) : NULL;
    for (size_t i = 0; i < run->only_count; i++)
        run->only[i] = json_string_value(json_array_get(only, i));
}

static json_t *answer_of(const struct mail_run *run, const char *status, int64_t started_us)
{
    const struct mail_counts *counts = &run->counts;
    json_t *answer = json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:b, s:O, s:O, s:I}", "sent",
        (json_int_t)counts->sent, "failed", (json_int_t)counts->failed, "skipped", (json_int_t)counts->skipped,
        "alreadySent", (json_int_t)counts->already_sent, "notDue", (json_int_t)counts->not_due, "considered",
        (json_int_t)counts->considered, "status", status, "hasMore", run->has_more, "skippedReasons",
        counts->skipped_reasons, "failures", counts->failures, "durationMs",
        (json_int_t)((edge_now_exact() - started_us) / 1000));
    if (run->dry)
        json_object_set(answer, "preview", counts->preview);
    return answer;
}

static void go(struct mail_run *run)
{
    const char *last = NULL;
    begin(run);
    for (bool more = true; more && !run->has_more;) {
        more = mail_page_read(run, &last);
        mail_page_deliver(run);
        if (more && !run->dry && edge_now_exact() >= run->ends_us)
            run->has_more = true;
    }
}

json_t *mail_run(edge_ctx *ctx, const json_t *in, const struct mail_kind *kind)
{
    int64_t started_us = edge_now_exact(), budget = budget_ms(ctx);
    struct mail_run run = {
        .ctx = ctx,
        .kind = kind,
        .in = in,
        .pace = resend_pace(ctx),
        .page_size = edge_json_int(in, "batchSize", 200),
        .ends_us = started_us + budget * 1000,
        .force = edge_json_bool(in, "force", false),
        .dry = edge_json_bool(in, "dryRun", false),
        .counts = { .skipped_reasons = json_object(), .failures = json_array(), .preview = json_array() },
    };
    run.page =
        (struct mail_page){ .ctx = ctx, .now_us = instant(ctx, in), .dry = run.dry, .memory = json_object() };
    if (!run.dry)
        resend_require_key(ctx);
    struct lease *lease = run.dry ? NULL : lease_take(ctx, kind->function, budget / 1000 + LAST_MAIL_S);
    if (!run.dry && lease == NULL)
        return answer_of(&run, "already_running", started_us);

    go(&run);
    if (lease != NULL)
        lease_release(lease);
    bool partial = run.counts.failed > 0 || run.has_more;
    json_t *answer = answer_of(&run, partial ? "partial" : "completed", started_us);
    if (run.counts.failed > 0 && run.counts.sent == 0)
        edge_fail_with(ctx, 502, "all_sends_failed", .message = "No mail could be sent", .extra = answer);
    return answer;
}
