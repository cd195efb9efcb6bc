/*
 * Mail through Resend: the request, and which failures are worth another attempt.
 */
#include "lib/resend.h"

#include <stdlib.h>
#include <string.h>

#include "lib/text.h"

enum {
    ATTEMPTS = 4,
    TIMEOUT_MS = 10000,
    RETRY_AFTER_MAX_S = 30,
    RETRY_BASE_MS = 1000,
    MESSAGE_MAX = 300,
    PER_SECOND = 2, /* what Resend grants a team */
};

#define FROM "Pulse AI <alerts@pulse.pwru.app>"
#define APP_URL "https://pulse.pwru.app"

void resend_require_key(edge_ctx *ctx)
{
    edge_env_required(ctx, "RESEND_API_KEY");
}

const char *resend_app_url(edge_ctx *ctx)
{
    const char *url = edge_env(ctx, "APP_URL");
    size_t length = url != NULL ? strlen(url) : 0;
    if (length == 0)
        return APP_URL;
    return url[length - 1] == '/' ? edge_copy_bytes(ctx, url, length - 1) : url;
}

static double setting(edge_ctx *ctx, const char *name, double fallback)
{
    const char *text = edge_env(ctx, name);
    double value = text != NULL ? strtod(text, NULL) : fallback;
    return value > 0 ? value : fallback;
}

struct resend_pace resend_pace(edge_ctx *ctx)
{
    return (struct resend_pace){ .interval_us = (int64_t)(1e6 / setting(ctx, "RESEND_MAX_RPS", PER_SECOND)) };
}

/* Each request takes the next free moment before it waits for it, so tasks cannot take the same one. */
static void keep_pace(edge_ctx *ctx, struct resend_pace *pace)
{
    int64_t now = edge_now_exact(), at = pace->next_us > now ? pace->next_us : now;
    pace->next_us = at + pace->interval_us;
    if (at > now)
        edge_sleep(ctx, (at - now + 999) / 1000);
}

/* What goes into a header line stays one line. */
static const char *one_line(edge_ctx *ctx, const char *text)
{
    char *copy = edge_copy(ctx, text), *out = copy;
    for (const char *in = copy; *in != '\0'; in++)
        if (*in != '\r' && *in != '\n')
            *out++ = *in;
    *out = '\0';
    return copy;
}

static json_t *body_of(edge_ctx *ctx, const struct resend_mail *mail)
{
    const char *from = edge_env(ctx, "RESEND_FROM_EMAIL");
    json_t *body = json_pack("{s:s, s:O, s:s, s:s, s:s}", "from", from != NULL ? from : FROM, "to", mail->to,
        "subject", one_line(ctx, mail->subject), "html", mail->html, "text", mail->text);
    if (mail->reply_to != NULL)
        json_object_set_new(body, "reply_to", json_string(one_line(ctx, mail->reply_to)));
    if (mail->headers != NULL)
        json_object_set(body, "headers", (json_t *)mail->headers);
    if (mail->type != NULL)
        json_object_set_new(body, "tags", json_pack("[{s:s, s:s}]", "name", "email_type", "value", mail->type));
    return body;
}

/* Resend's word for an error: {"statusCode", "name", "message"}. */
static bool is_named(const edge_reply *reply, const char *name)
{
    const char *given = edge_json_text(reply->json, "name");
    return given != NULL && strcmp(given, name) == 0;
}

static struct resend_result read_reply(edge_ctx *ctx, const edge_reply *reply)
{
    struct resend_result result = {
        .outcome = RESEND_FAILED,
        .status = reply->failure == EDGE_HTTP_OK ? reply->status : 0,
        .retry_after_seconds = reply->retry_after_seconds,
    };
    const char *message = edge_json_text(reply->json, "message");
    result.id = edge_json_text(reply->json, "id");
    if (result.status / 100 == 2 && result.id != NULL)
        result.outcome = RESEND_SENT;
    /* The key has been used for another text: this mail went out before, when its figures were others. */
    else if (result.status == 409 && is_named(reply, "invalid_idempotent_request"))
        result.outcome = RESEND_SENT;
    else if (result.status == 429)
        result.outcome = RESEND_RATE_LIMITED;
    else if (result.status / 100 == 4 && !is_named(reply, "concurrent_idempotent_requests"))
        result.outcome = RESEND_REJECTED;
    if (message == NULL)
        message = reply->failure != EDGE_HTTP_OK ? reply->message : edge_format(ctx, "HTTP %d", reply->status);
    result.message = text_cut(ctx, message, MESSAGE_MAX);
    return result;
}

/* Before the attempt after this one: what Resend asks for, else longer each time, and not all at once. */
static int64_t wait_ms(edge_ctx *ctx, const struct resend_result *result, int attempt)
{
    double base = setting(ctx, "EMAIL_RETRY_BASE_MS", RETRY_BASE_MS);
    if (result->outcome == RESEND_RATE_LIMITED && result->retry_after_seconds > 0)
        return 1000 * (int64_t)(result->retry_after_seconds < RETRY_AFTER_MAX_S ? result->retry_after_seconds
                                                                                : RETRY_AFTER_MAX_S);
    if (result->outcome == RESEND_RATE_LIMITED)
        return (int64_t)base;
    uint8_t random;
    edge_random(&random, sizeof random);
    return (int64_t)(base * (1 << (attempt - 1)) * (0.8 + 0.4 * random / UINT8_MAX));
}

struct resend_result resend_send(edge_ctx *ctx, const struct resend_mail *mail, struct resend_pace *pace)
{
    json_t *body = body_of(ctx, mail);
    for (int attempt = 1;; attempt++) {
        if (pace != NULL)
            keep_pace(ctx, pace);
        edge_reply *reply = edge_try_fetch(ctx, "resend", .method = "POST", .path = "/emails", .json = body,
            .idempotency_key = mail->key, .timeout_ms = TIMEOUT_MS, .retries = EDGE_SEND_ONCE);
        struct resend_result result = read_reply(ctx, reply);
        if (result.outcome == RESEND_SENT || result.outcome == RESEND_REJECTED || attempt == ATTEMPTS) {
            json_decref(body);
            return result;
        }
        edge_sleep(ctx, wait_ms(ctx, &result, attempt));
    }
}
