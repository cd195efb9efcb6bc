/*
 * goHighLevelWebhook: a GoHighLevel workflow tells of a sale or of its end; the buyer's plan is switched on or
 * off. The host has verified the sender (auth = "webhook:gohighlevel").
 *
 * Workflows are written by hand, so each value is looked for in several places. Two round trips to the
 * database; a buyer nobody knows costs up to three calls of Clerk between them.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/purchase.h"
#include "lib/text.h"
#include "lib/webhook.h"

static const char *const actions[] = { "activate", "cancel", NULL };
static const edge_field output[] = {
    PURCHASE_FIELDS,
    { "action", EDGE_ENUM, .values = actions, .help = "What was done to the plan" },
    { 0 },
};

/* Where a value may be, first place first; NULL-terminated. */
static const char *const email_places[] = { "customData.contact_email", "contact_email", "contact.email",
    "email", NULL };
static const char *const order_places[] = { "customData.order_id", "order_id", "orderId", "order.id", NULL };
static const char *const plan_places[] = { "customData.plan_type", "plan_type", "planType", "subscription.plan",
    NULL };
static const char *const name_places[] = { "customData.contact_name", "contact_name", "contact.name",
    "full_name", NULL };
static const char *const status_places[] = { "customData.status", "status", "subscription.status", "type",
    NULL };
static const char *const event_places[] = { "webhookId", "webhook_id", "event_id", NULL };

static const char *first_of(edge_ctx *ctx, const json_t *event, const char *const *places)
{
    const char *text = NULL;
    for (; text == NULL && *places != NULL; places++)
        text = purchase_text(ctx, edge_json_path(event, *places));
    return text;
}

/* The name at its first blank, or the two parts that were sent apart. */
static void read_name(edge_ctx *ctx, const json_t *event, struct purchase *purchase)
{
    const char *name = first_of(ctx, event, name_places);
    if (name == NULL) {
        purchase->first_name = purchase_text(ctx, json_object_get(event, "first_name"));
        purchase->last_name = purchase_text(ctx, json_object_get(event, "last_name"));
        return;
    }
    size_t length = strcspn(name, " ");
    purchase->first_name = edge_copy_bytes(ctx, name, length);
    const char *rest = name + length + strspn(name + length, " ");
    purchase->last_name = *rest != '\0' ? rest : NULL;
}

static bool is_end(const char *status)
{
    return status != NULL && (strcasestr(status, "cancel") != NULL || strcasestr(status, "expired") != NULL ||
                                 strcasestr(status, "refund") != NULL || strcasecmp(status, "inactive") == 0);
}

/* A workflow that sends no id is told apart by what it reports, once a month; one without an order by its
 * bytes. */
static const char *event_id_of(edge_ctx *ctx, const json_t *event, const struct purchase *purchase)
{
    const char *given = first_of(ctx, event, event_places);
    if (given != NULL)
        return given;
    if (purchase->order_id == NULL)
        return webhook_body_id(ctx);
    return edge_format(ctx, "order:%s:%s:%s:%.7s", purchase->order_id, purchase->cancel ? "cancel" : "activate",
        purchase->plan->key, edge_iso_time(ctx, edge_now(ctx)));
}

static void read_plan(edge_ctx *ctx, const json_t *event, struct purchase *purchase)
{
    const char *text = first_of(ctx, event, plan_places);
    purchase->plan = plan_of_text(text);
    if (purchase->plan != NULL)
        return;
    purchase->plan = plan_of_key("starter");
    if (text != NULL)
        purchase->details = json_pack("{s:s}", "planUnmatched", text_cut(ctx, text, 200));
}

static json_t *gohighlevel_webhook(edge_ctx *ctx, json_t *in)
{
    (void)in;
    json_t *event = webhook_event(ctx);
    struct purchase purchase = {
        .platform = "gohighlevel",
        .email = purchase_email(ctx, first_of(ctx, event, email_places)),
        .order_id = first_of(ctx, event, order_places),
        .cancel = is_end(first_of(ctx, event, status_places)),
        .months = 1,
        .began_us = edge_now_exact(),
    };
    if (purchase.email == NULL)
        edge_fail(ctx, 400, "contact_email_missing", "contact_email missing");
    read_plan(ctx, event, &purchase);
    read_name(ctx, event, &purchase);
    purchase.event_id = event_id_of(ctx, event, &purchase);

    json_t *answer = purchase_apply(ctx, &purchase);
    if (json_object_get(answer, "userId") != NULL)
        json_object_set_new(answer, "action", json_string(purchase.cancel ? "cancel" : "activate"));
    return answer;
}

EDGE_FUNCTION(goHighLevelWebhook,
    .summary = "Switches plans on and off by a GoHighLevel workflow's reports",
    .output = output,
    .handle = gohighlevel_webhook,
    .raw_body = true);
