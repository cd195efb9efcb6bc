/*
 * Deliveries of a mail run: claim, send, write down. Four tasks take the page's people in turn.
 */
#include "lib/mail_log.h"
#include "lib/mail_run_state.h"

#include <string.h>

enum {
    IN_FLIGHT_MAX = 4,
};

void mail_skip(struct mail_run *run, const char *code)
{
    json_t *reasons = run->counts.skipped_reasons;
    run->counts.skipped++;
    json_object_set_new(reasons, code, json_integer(edge_json_int(reasons, code, 0) + 1));
}

/* The mail of a person is this run's to send; else it is counted as what it is. */
static bool claim(struct mail_run *run, const struct mail_person *person)
{
    edge_rows *rows[2];
    json_t *metadata = json_pack("{s:s}", "period", person->period);
    edge_service_query_batch(run->ctx, rows,
        EDGE_SQL(MAIL_LOG_CLAIM_SQL, edge_uuid(person->log_id), edge_text(person->user),
            edge_text(run->kind->email_type), edge_text(run->kind->template_key), edge_json(metadata)),
        EDGE_SQL("SELECT metadata ->> 'status' = 'sent' AS sent FROM email_delivery_logs WHERE id = $1",
            edge_uuid(person->log_id)));
    json_decref(metadata);
    if (edge_rows_count(rows[0]) > 0)
        return true;
    if (edge_rows_count(rows[1]) > 0 && edge_rows_bool(rows[1], 0, "sent"))
        run->counts.already_sent++;
    else
        mail_skip(run, "claimed_elsewhere");
    return false;
}

static struct resend_result send(
    struct mail_run *run, const struct mail_person *person, const struct mail_text *mail)
{
    edge_ctx *ctx = run->ctx;
    json_t *to = json_pack("[s]", person->email);
    json_t *headers = json_pack(
        "{s:o}", "List-Unsubscribe", json_string(edge_format(ctx, "<%s>", run->layout.preferences_url)));
    struct resend_result result = resend_send(ctx,
        &(const struct resend_mail){
            .to = to,
            .subject = text_value(&mail->subject),
            .html = text_value(&mail->html),
            .text = text_value(&mail->text),
            .headers = headers,
            .type = run->kind->email_type,
            .key = edge_format(ctx, "%s/%s/%s", run->kind->email_type, person->user, person->period),
        },
        &run->pace);
    json_decref(to);
    json_decref(headers);
    return result;
}

static void note(struct mail_run *run, const struct mail_person *person, const struct mail_content *content,
    const struct resend_result *result)
{
    if (result->outcome == RESEND_SENT) {
        mail_log_sent(run->ctx, person->log_id, result->id, content->facts);
        run->counts.sent++;
        return;
    }
    const char *code = result->outcome == RESEND_REJECTED       ? "email_rejected"
                       : result->outcome == RESEND_RATE_LIMITED ? "rate_limited"
                                                                : "provider_failed";
    mail_log_failed(run->ctx, person->log_id, result->outcome == RESEND_REJECTED, result->message);
    run->counts.failed++;
    edge_log(run->ctx, EDGE_LOG_WARN, "mail_not_sent", { "user", edge_text(person->user) },
        { "code", edge_text(code) }, { "error", edge_text(result->message) });
    if (json_array_size(run->counts.failures) < MAIL_LISTED_MAX)
        json_array_append_new(run->counts.failures,
            json_pack("{s:s, s:s, s:s}", "userId", person->user, "code", code, "error", result->message));
}

static void preview(struct mail_run *run, const struct mail_person *person, const struct mail_text *mail)
{
    if (json_array_size(run->counts.preview) < MAIL_LISTED_MAX)
        json_array_append_new(
            run->counts.preview, json_pack("{s:s, s:s, s:s}", "userId", person->user, "subject",
                                     text_value(&mail->subject), "period", person->period));
}

static void deliver(struct mail_run *run, size_t i, struct mail_text *mail)
{
    const struct mail_person *person = &run->page.people[i];
    struct mail_content content = { .first_name = person->first_name, .facts = json_object() };
    mail_set(&content, "firstName", person->first_name);
    mail_set(&content, "preferencesUrl", run->layout.preferences_url);
    mail_set(&content, "unsubscribeUrl", run->layout.preferences_url);
    const char *reason = run->kind->compose(&run->page, i, &content);
    if (reason != NULL) {
        mail_skip(run, reason);
        return;
    }
    mail_render(&run->layout, &content, mail);
    if (run->dry) {
        preview(run, person, mail);
        return;
    }
    if (!claim(run, person))
        return;
    struct resend_result result = send(run, person, mail);
    note(run, person, &content, &result);
    json_decref(content.facts);
}

static void *work(edge_ctx *ctx, void *arg)
{
    struct mail_run *run = arg;
    struct mail_text mail = { .subject = { .ctx = ctx }, .html = { .ctx = ctx }, .text = { .ctx = ctx } };
    while (run->next < run->page.count) {
        if (!run->dry && edge_now_exact() >= run->ends_us) {
            run->has_more = true;
            break;
        }
        deliver(run, run->next++, &mail);
    }
    return NULL;
}

void mail_page_deliver(struct mail_run *run)
{
    edge_task *tasks[IN_FLIGHT_MAX];
    if (run->page.count == 0)
        return;
    run->next = 0;
    run->kind->read(&run->page);
    for (size_t i = 0; i < IN_FLIGHT_MAX; i++)
        tasks[i] = edge_spawn(run->ctx, work, run);
    for (size_t i = 0; i < IN_FLIGHT_MAX; i++)
        edge_await(run->ctx, tasks[i]);
    /* Who was not come to has not been considered. */
    run->counts.considered -= (int64_t)(run->page.count - run->next);
}
