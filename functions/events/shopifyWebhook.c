/*
 * shopifyWebhook: Shopify tells of orders in the product's store; the buyer's plan is switched on or off. The
 * host has verified the signature over the raw body (auth = "webhook:shopify").
 *
 * Shopify gives up after five seconds and drops a subscription that keeps failing, so an order that is none of
 * ours is answered 200. Two round trips to the database; a buyer nobody knows costs up to three calls of Clerk
 * between them.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/purchase.h"
#include "lib/webhook.h"

static const struct {
    const char *topic;
    bool cancel;
} topics[] = {
    { "orders/paid", false },
    { "orders/create", false },
    { "orders/updated", false },
    { "orders/fulfilled", false },
    { "orders/cancelled", true },
};

/* What is sold, with the months it lasts. */
static const struct {
    const char *sku, *plan;
    int months;
} skus[] = {
    { "PULSE-STARTER", "starter", 1 },
    { "PULSE-STARTER-ANNUAL", "starter", 12 },
    { "PULSE-PRO", "professional", 1 },
    { "PULSE-PRO-ANNUAL", "professional", 12 },
    { "PULSE-ENTERPRISE", "enterprise", 1 },
    { "PULSE-ENTERPRISE-ANNUAL", "enterprise", 12 },
};

static const edge_field output[] = {
    PURCHASE_FIELDS,
    { "topic", EDGE_TEXT, .required = true, .help = "Of the delivery" },
    { 0 },
};

static void check_shop(edge_ctx *ctx)
{
    const char *pinned = edge_env(ctx, "SHOPIFY_SHOP_DOMAIN");
    const char *shop = edge_request_header(ctx, "x-shopify-shop-domain");
    if (pinned != NULL && (shop == NULL || strcasecmp(shop, pinned) != 0))
        edge_fail(ctx, 401, "invalid_signature", "The event is another shop's");
}

static const char *header_or(edge_ctx *ctx, const char *name, const char *fallback)
{
    const char *value = edge_request_header(ctx, name);
    return value != NULL && value[0] != '\0' ? value : fallback;
}

/* The order's address in the first place that has one; the address there has to be one. */
static const char *email_of(edge_ctx *ctx, const json_t *order)
{
    const json_t *const places[] = { edge_json_path(order, "customer.email"), json_object_get(order, "email"),
        json_object_get(order, "contact_email") };
    const char *email = NULL;
    for (size_t i = 0; email == NULL && i < sizeof places / sizeof *places; i++)
        email = json_is_string(places[i]) ? purchase_text(ctx, places[i]) : NULL;
    return purchase_email(ctx, email);
}

static bool is_paid(const json_t *order)
{
    const char *status = edge_json_text(order, "financial_status");
    return status == NULL || strcmp(status, "paid") == 0 || strcmp(status, "partially_refunded") == 0;
}

/* A late update of an order that has been cancelled meanwhile says so, and must not bring its plan back. */
static bool was_cancelled(const json_t *order)
{
    return json_is_string(json_object_get(order, "cancelled_at"));
}

/* The plan of the first line item that is one of ours, else the configured one, else NULL. */
static const struct plan *plan_of(edge_ctx *ctx, const json_t *order, int *months)
{
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(order, "line_items"), i, item)
    {
        const char *sku = purchase_text(ctx, json_object_get(item, "sku"));
        for (size_t k = 0; sku != NULL && k < sizeof skus / sizeof *skus; k++) {
            if (strcasecmp(skus[k].sku, sku) == 0) {
                *months = skus[k].months;
                return plan_of_key(skus[k].plan);
            }
        }
    }
    *months = 1;
    return plan_of_key(edge_env(ctx, "SHOPIFY_DEFAULT_PLAN"));
}

static const char *order_id_of(edge_ctx *ctx, const json_t *order)
{
    const char *id = purchase_text(ctx, json_object_get(order, "id"));
    return id != NULL ? id : purchase_text(ctx, json_object_get(order, "order_id"));
}

/* Fills a purchase from an order; NULL, or the reason for which it is none. */
static const char *read_order(edge_ctx *ctx, const json_t *order, struct purchase *purchase)
{
    purchase->email = email_of(ctx, order);
    if (purchase->email == NULL)
        return "customer_email_missing";
    if (!purchase->cancel && (!is_paid(order) || was_cancelled(order)))
        return "unpaid";
    purchase->plan = plan_of(ctx, order, &purchase->months);
    if (purchase->plan == NULL)
        return "no_plan_sku";
    purchase->first_name = purchase_text(ctx, edge_json_path(order, "customer.first_name"));
    purchase->last_name = purchase_text(ctx, edge_json_path(order, "customer.last_name"));
    purchase->order_id = order_id_of(ctx, order);
    return NULL;
}

static json_t *shopify_webhook(edge_ctx *ctx, json_t *in)
{
    (void)in;
    check_shop(ctx);
    json_t *order = webhook_event(ctx);
    const char *topic = header_or(ctx, "x-shopify-topic", "orders/create"), *reason = "unhandled_topic";
    struct purchase purchase = {
        .platform = "shopify",
        .event_id = header_or(ctx, "x-shopify-webhook-id", webhook_body_id(ctx)),
        .keeps_window = true,
        .details = json_pack("{s:s}", "lastTopic", topic),
        .began_us = edge_now_exact(),
    };
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++) {
        if (strcmp(topics[i].topic, topic) == 0) {
            purchase.cancel = topics[i].cancel;
            reason = read_order(ctx, order, &purchase);
        }
    }

    json_t *answer = reason != NULL ? webhook_ignore(ctx, purchase.platform, purchase.event_id, reason)
                                    : purchase_apply(ctx, &purchase);
    json_object_set_new(answer, "topic", json_string(topic));
    return answer;
}

EDGE_FUNCTION(shopifyWebhook,
    .summary = "Switches plans on and off by the store's orders",
    .output = output,
    .handle = shopify_webhook,
    .raw_body = true);
