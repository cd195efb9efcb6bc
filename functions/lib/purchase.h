/*
 * What a store reports: a plan bought or ended, applied once (spec events.md, goHighLevelWebhook steps 5 to 8;
 * the same for shopifyWebhook).
 *
 *     purchase_apply    the delivery's record, profile, subscription, onboarding and the store's health row in
 * one transaction; a buyer nobody knows gets an account at Clerk before it purchase_ignore   the record alone
 *
 * Both answer for the function. A failure leaves no record, so the store delivers again, and turns its health
 * row to "error".
 */
#ifndef LIB_PURCHASE_H
#define LIB_PURCHASE_H

#include <edge/edge.h>

#include "lib/plan.h"
#include "lib/webhook.h"

struct purchase {
    const char *platform; /* "gohighlevel" or "shopify": provider of the delivery, service of the health row */
    const char *event_id;
    const char *email;                  /* lower case */
    const char *first_name, *last_name; /* NULL: not told */
    const char *order_id;               /* NULL: not told */
    const struct plan *plan;
    int months; /* that a purchase lasts */
    bool cancel;
    bool keeps_window; /* an order that is there already and active only changes the plan */
    json_t *details;   /* further members of the health row's metadata; NULL: none */
    int64_t began_us;  /* edge_now_exact of the delivery */
};

/* What purchase_apply answers, as members of an output table. */
#define PURCHASE_FIELDS                                                                                        \
    WEBHOOK_FIELDS, { "userId", EDGE_TEXT, .help = "Whose plan was changed" },                                 \
    {                                                                                                          \
        "plan", EDGE_ENUM, .values = plan_labels, .help = "Which one"                                          \
    }

/* Applies it: the function's answer, "success", "userId" and "plan", or why nothing was done. */
EDGE_RETURNS_NONNULL json_t *purchase_apply(edge_ctx *ctx, const struct purchase *purchase);

/* An address as it is looked up: trimmed, lower case; NULL when text is none. */
const char *purchase_email(edge_ctx *ctx, const char *text);

/* A member that is a number or a text, as text, trimmed and never empty; every digit is kept. NULL: neither. */
const char *purchase_text(edge_ctx *ctx, const json_t *value);

#endif
