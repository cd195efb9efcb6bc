/*
 * A phone number, bought once. Before Twilio is asked there is a row; whoever finds that row without an end
 * asks Twilio for the number by its label first, and buys only what is not there.
 */
#include "lib/phone_purchase.h"

#include "lib/lease.h"
#include "lib/phone_number.h"
#include "lib/phone_purchase_row.h"
#include "lib/plan.h"
#include "lib/text.h"
#include "lib/voice.h"

enum {
    LABEL_MAX = 64, /* of Twilio's FriendlyName */
    IMPORT_MS = 15000,
    IMPORT_LEASE_S = 60,
    NOT_AVAILABLE = 21422, /* https://www.twilio.com/docs/api/errors/21422 */
};

static void require_subscription(edge_ctx *ctx, const char *user)
{
    edge_rows *rows = edge_service_query(ctx,
        "SELECT (SELECT subscription_tier FROM profiles WHERE id = $1) AS tier,"
        " EXISTS (SELECT FROM user_agent_subscriptions WHERE user_id = $1 AND is_active AND status = 'active')"
        " AS subscribed",
        edge_text(user));
    if (!tier_is_paid(edge_rows_text(rows, 0, "tier")) && !edge_rows_bool(rows, 0, "subscribed"))
        edge_fail(ctx, 402, "subscription_required", "A phone number comes with a subscription");
}

static const char *label_of(const struct phone_purchase *purchase)
{
    return text_cut(purchase->ctx, edge_format(purchase->ctx, "pulse:%s", purchase->user), LABEL_MAX);
}

/* Whether Twilio has sold it to us already; ends the invocation when nobody can say. */
static bool is_ours(struct phone_purchase *purchase)
{
    edge_ctx *ctx = purchase->ctx;
    enum phone_found found = phone_find(ctx, purchase->number, label_of(purchase), &purchase->sid);
    if (found == PHONE_UNKNOWN)
        edge_fail_with(ctx, 502, "purchase_in_doubt",
            .message = "Twilio has not said whether the number was bought",
            .suggestion = "Try again in two minutes with the same key: nothing is bought twice",
            .retry_after_seconds = 120);
    return found == PHONE_FOUND;
}

EDGE_NORETURN static void refuse(struct phone_purchase *purchase, const struct phone_order *order)
{
    edge_ctx *ctx = purchase->ctx;
    phone_purchase_fail(purchase, order->message);
    edge_log(ctx, EDGE_LOG_WARN, "number_not_bought", { "status", edge_int(order->status) },
        { "code", edge_int(order->code) }, { "error", edge_text(order->message) });
    if (order->status == 400 && order->code == NOT_AVAILABLE)
        edge_fail(ctx, 409, "number_unavailable", "This number is not for sale any more");
    if (order->status == 400)
        edge_fail(ctx, 422, "number_rejected", "Twilio does not sell this number");
    if (order->status == 401 || order->status == 403 || order->status == 404)
        edge_fail(ctx, 503, "twilio_unauthorized", "Twilio does not accept this server's account");
    if (order->status == 429)
        edge_fail_with(ctx, 429, "provider_rate_limited",
            .message = "Twilio is asked too often, try again in a moment",
            .retry_after_seconds = order->retry_after_seconds);
    edge_fail(ctx, 502, "twilio_failed", "Twilio failed to sell the number");
}

static void buy(struct phone_purchase *purchase)
{
    struct phone_order order = phone_buy(purchase->ctx, purchase->number, label_of(purchase));
    purchase->sid = order.sid;
    if (order.outcome == PHONE_BOUGHT)
        return;

    /* Nobody else can buy what is ours, so "not available" may be an earlier purchase whose answer was lost. */
    bool may_be_ours = order.outcome == PHONE_UNCERTAIN || (purchase->tried && order.code == NOT_AVAILABLE);
    if (may_be_ours && is_ours(purchase))
        return;
    refuse(purchase, &order);
}

/* A failing step here is the caller's to tell: the number is bought, and the key repeats the import. */
static void import(struct phone_purchase *purchase)
{
    edge_ctx *ctx = purchase->ctx;
    if (edge_env(ctx, "ELEVENLABS_API_KEY") == NULL && edge_env(ctx, "ELEVEN_LABS_API_KEY") == NULL)
        return;
    edge_reply *reply = edge_try_fetch(ctx, VOICE_PROVIDER, .method = "POST",
        .path = "/v1/convai/phone-numbers",
        .json = json_pack("{s:s, s:s, s:o, s:s, s:s}", "provider", "twilio", "phone_number", purchase->number,
            "label", json_string(edge_format(ctx, "Pulse %s", purchase->user)), "sid",
            edge_env_required(ctx, "TWILIO_ACCOUNT_SID"), "token", edge_env_required(ctx, "TWILIO_AUTH_TOKEN")),
        .timeout_ms = IMPORT_MS, .retries = EDGE_SEND_ONCE);
    const char *id = edge_json_text(reply->json, "phone_number_id");
    if (reply->failure != EDGE_HTTP_OK || reply->status / 100 != 2 || id == NULL || id[0] == '\0') {
        edge_log(ctx, EDGE_LOG_WARN, "number_import_failed", { "status", edge_int(reply->status) },
            { "error", edge_text(reply->message) });
        return;
    }
    purchase->line_id = id;
    if (purchase->agent_id == NULL)
        return;
    reply = edge_try_fetch(ctx, VOICE_PROVIDER, .method = "PATCH",
        .path = edge_format(ctx, "/v1/convai/phone-numbers/%s", edge_url_encode(ctx, id)),
        .json = json_pack("{s:s}", "agent_id", purchase->agent_id), .timeout_ms = IMPORT_MS,
        .retries = EDGE_SEND_ONCE);
    if (reply->failure != EDGE_HTTP_OK || reply->status / 100 != 2)
        edge_log(ctx, EDGE_LOG_WARN, "number_agent_failed", { "status", edge_int(reply->status) },
            { "error", edge_text(reply->message) });
}

/* Imports what has been bought, and writes all of it down. */
static json_t *complete(struct phone_purchase *purchase)
{
    import(purchase);
    json_t *response = json_pack("{s:b, s:s, s:s, s:s, s:s?}", "success", 1, "phoneNumber", purchase->number,
        "sid", purchase->sid, "phoneNumberSid", purchase->sid, "elevenLabsTwilioNumberId", purchase->line_id);
    if (purchase->line_id == NULL)
        json_object_set_new(response, "warning",
            json_string("The number was bought, but is not connected to the calling agent yet"));
    phone_purchase_finish(purchase, response);
    return response;
}

/* Finds out what a purchase that was cut off has done. False: nothing was bought. */
static bool settle(struct phone_purchase *purchase)
{
    return purchase->sid != NULL || is_ours(purchase);
}

/* Another key's purchase: bought, it counts as the user's number; not bought, it is over. */
static void settle_other(struct phone_purchase *purchase)
{
    if (settle(purchase))
        complete(purchase);
    else
        phone_purchase_fail(purchase, "Cut off before Twilio sold the number");
}

static json_t *repeat_import(struct phone_purchase *purchase)
{
    edge_ctx *ctx = purchase->ctx;
    struct lease *lease = lease_take(ctx, edge_format(ctx, "phone-import/%s", purchase->id), IMPORT_LEASE_S);
    if (lease == NULL)
        edge_fail_with(ctx, 409, "in_progress", .message = "The number is being connected",
            .retry_after_seconds = IMPORT_LEASE_S);
    json_t *response = complete(purchase);
    lease_release(lease);
    return response;
}

json_t *phone_purchase(edge_ctx *ctx, const struct phone_wish *wish)
{
    phone_require_account(ctx);
    const char *user = edge_auth_user(ctx);
    require_subscription(ctx, user);

    struct phone_purchase purchase = phone_purchase_open(ctx, user, wish);
    for (; purchase.others; purchase = phone_purchase_open(ctx, user, wish))
        settle_other(&purchase);

    if (purchase.step == PHONE_REPLAY) {
        json_t *response = json_copy((json_t *)purchase.response);
        json_object_set_new(response, "replayed", json_true());
        return response;
    }
    if (purchase.step == PHONE_IMPORT)
        return repeat_import(&purchase);
    if (purchase.step == PHONE_BUY || !settle(&purchase)) {
        buy(&purchase);
        phone_purchase_note(&purchase);
    }
    return complete(&purchase);
}
