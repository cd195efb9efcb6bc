/*
 * Mail through Resend (https://resend.com/docs/api-reference/emails/send-email; spec events.md S5): one mail,
 * repeated with the same idempotency key while that may help, which Resend delivers once within 24 hours.
 *
 *     struct resend_result result = resend_send(ctx, &mail, NULL);
 */
#ifndef LIB_RESEND_H
#define LIB_RESEND_H

#include <edge/edge.h>

/* Ends the invocation with 503 "not_configured" unless the key is set. */
void resend_require_key(edge_ctx *ctx);

/* Address of the application's pages, without a slash at its end: APP_URL. */
EDGE_RETURNS_NONNULL const char *resend_app_url(edge_ctx *ctx);

/* Begins of requests, so many a second at most; tasks of one invocation may share it. */
struct resend_pace {
    int64_t interval_us;
    int64_t next_us; /* not before */
};

/* At most RESEND_MAX_RPS a second, 2 unless it is set. */
struct resend_pace resend_pace(edge_ctx *ctx);

/* One mail; what is NULL is left out, but for to, subject, html, text and key. */
struct resend_mail {
    const json_t *to; /* array of addresses */
    const char *subject, *html, *text, *reply_to;
    const json_t *headers; /* object */
    const char *type;      /* tag email_type */
    const char *key;       /* of idempotency, 256 characters at most */
};

struct resend_result {
    enum {
        RESEND_SENT,
        RESEND_REJECTED, /* by a 4xx: the same again would be refused again */
        RESEND_RATE_LIMITED,
        RESEND_FAILED,
    } outcome;
    const char *id;      /* Resend's; NULL when the key had been used for the mail as it was before */
    int status;          /* Resend's last; 0 without an answer */
    const char *message; /* why it was not sent, 300 characters at most */
    int retry_after_seconds;
};

/* Sends a mail: 4 attempts of 10 s at most. Whatever goes wrong is in the result. pace may be NULL. */
struct resend_result resend_send(edge_ctx *ctx, const struct resend_mail *mail, struct resend_pace *pace);

#endif
