/*
 * Purchases of plans.
 */
#include "lib/purchase.h"

#include "lib/clerk.h"
#include "lib/webhook.h"

#include <string.h>

enum {
    EMAIL_MAX = 254,
};

/* A delivery being applied, for the health row whatever becomes of it. */
struct attempt {
    const struct purchase *purchase;
    bool settled; /* it has been applied, or its failure written down */
};

const char *purchase_text(edge_ctx *ctx, const json_t *value)
{
    const char *text = json_is_string(value)   ? json_string_value(value)
                       : json_is_number(value) ? edge_json_dump(ctx, value, NULL)
                                               : "";
    text += strspn(text, " \t\r\n");
    size_t length = strlen(text);
    while (length > 0 && strchr(" \t\r\n", text[length - 1]) != NULL)
        length--;
    return length > 0 ? edge_copy_bytes(ctx, text, length) : NULL;
}

const char *purchase_email(edge_ctx *ctx, const char *text)
{
    if (text == NULL || strlen(text) > EMAIL_MAX || !edge_is_email(text))
        return NULL;
    char *email = edge_copy(ctx, text);
    for (char *c = email; *c != '\0'; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    return email;
}

static json_t *metadata_json(edge_ctx *ctx, const struct purchase *purchase)
{
    json_t *metadata = json_pack("{s:s, s:s?, s:s, s:s, s:s}", "lastWebhookReceivedAt",
        edge_iso_time(ctx, edge_now(ctx)), "lastOrderId", purchase->order_id, "lastEmail", purchase->email,
        "plan", purchase->plan->label, "action", purchase->cancel ? "cancel" : "activate");
    json_object_update(metadata, purchase->details);
    return metadata;
}

/* --- the health row --- */

static void note_failure(edge_ctx *ctx, struct attempt *attempt, const char *message)
{
    attempt->settled = true;
    edge_error error;
    edge_rows *noted = edge_try_service_query(ctx, &error,
        "INSERT INTO integration_status (service, status, last_checked, error_message)"
        " VALUES ($1, 'error', $2, $3)"
        " ON CONFLICT (service) DO UPDATE"
        " SET status = EXCLUDED.status, last_checked = EXCLUDED.last_checked,"
        " error_message = EXCLUDED.error_message",
        edge_text(attempt->purchase->platform), edge_time(edge_now(ctx)), edge_text(message));
    if (noted == NULL)
        edge_log(ctx, EDGE_LOG_WARN, "integration_status_not_stored", { "detail", edge_text(error.detail) });
}

/* However the invocation ended: what has not been settled by then has failed in the database. */
static void note_unsettled(edge_ctx *ctx, void *arg)
{
    struct attempt *attempt = arg;
    if (!attempt->settled)
        note_failure(ctx, attempt, "The purchase could not be stored");
}

static void store_health(edge_ctx *ctx, edge_tx *tx, const struct purchase *purchase)
{
    edge_tx_send(tx,
        "INSERT INTO integration_status (service, status, response_time_ms, last_checked, error_message, "
        "metadata)"
        " VALUES ($1, 'healthy', $2, $3, NULL, $4)"
        " ON CONFLICT (service) DO UPDATE"
        " SET status = EXCLUDED.status, response_time_ms = EXCLUDED.response_time_ms,"
        " last_checked = EXCLUDED.last_checked, error_message = NULL, metadata = EXCLUDED.metadata",
        edge_text(purchase->platform), edge_int((edge_now_exact() - purchase->began_us) / 1000),
        edge_time(edge_now(ctx)), edge_json(metadata_json(ctx, purchase)));
}

/* --- the buyer --- */

struct buyer {
    const char *id;
    bool made; /* the profile may not be there yet */
};

static const char *full_name(edge_ctx *ctx, const struct purchase *purchase)
{
    const char *first = purchase->first_name, *last = purchase->last_name;
    if (first == NULL || last == NULL)
        return first != NULL ? first : last;
    return edge_format(ctx, "%s %s", first, last);
}

/* The account of an address that no profile has. */
static struct buyer find_account(edge_ctx *ctx, struct attempt *attempt)
{
    const struct purchase *purchase = attempt->purchase;
    const char *problem = NULL;
    if (edge_env(ctx, "CLERK_SECRET_KEY") == NULL)
        note_failure(ctx, attempt, "CLERK_SECRET_KEY is not configured");
    const char *id = clerk_account(ctx,
        &(const struct clerk_buyer){
            .email = purchase->email,
            .first_name = purchase->first_name,
            .last_name = purchase->last_name,
            .source = purchase->platform,
        },
        &problem);
    if (id == NULL) {
        note_failure(ctx, attempt, problem);
        edge_log(ctx, EDGE_LOG_WARN, "buyer_account_failed", { "problem", edge_text(problem) });
        edge_fail(ctx, 502, "clerk_failed", "The buyer's account could not be found or made");
    }
    return (struct buyer){ id, .made = true };
}

static void store_buyer(edge_ctx *ctx, edge_tx *tx, const struct purchase *purchase, const char *id)
{
    edge_tx_send(tx,
        "INSERT INTO profiles AS p (id, email, full_name)"
        " VALUES ($1, $2, $3)"
        " ON CONFLICT (id) DO UPDATE"
        " SET email = coalesce(nullif(btrim(p.email), ''), EXCLUDED.email)",
        edge_text(id), edge_text(purchase->email), edge_text(full_name(ctx, purchase)));
}

/* --- what it changes --- */

/*
 * The profile's row is locked before the subscription's in every path, so that two deliveries about one buyer
 * wait for each other instead of dead-locking.
 */
static void activate_profile(edge_ctx *ctx, edge_tx *tx, const struct purchase *purchase, const char *user)
{
    edge_tx_send(tx,
        "UPDATE profiles"
        " SET subscription_status = 'active',"
        " subscription_tier = CASE WHEN subscription_tier IN ('Admin', 'Owner', 'Investor') THEN "
        "subscription_tier"
        " ELSE 'Subscriber' END,"
        " full_name = CASE WHEN btrim(coalesce(full_name, '')) = '' THEN coalesce($2, full_name) ELSE "
        "full_name END"
        " WHERE id = $1",
        edge_text(user), edge_text(full_name(ctx, purchase)));
}

/* What arrived as two deliveries of one order (created, paid) must not begin its window twice. */
static bool refresh_order(edge_tx *tx, const struct purchase *purchase, const char *user)
{
    if (!purchase->keeps_window || purchase->order_id == NULL)
        return false;
    edge_rows *refreshed = edge_tx_query(tx,
        "UPDATE user_agent_subscriptions"
        " SET subscription_tier = $3, plan_type = $3, minutes_allocated = nullif($4, 0)"
        " WHERE user_id = $1 AND agent_type = 'core' AND shopify_order_id = $2 AND is_active AND status = "
        "'active'"
        " RETURNING id",
        edge_text(user), edge_text(purchase->order_id), edge_text(purchase->plan->label),
        edge_int(purchase->plan->minutes));
    return edge_rows_count(refreshed) > 0;
}

/* Minutes begin anew with a new order and with a new cycle. The month is the calendar's, in UTC. */
static void activate_subscription(edge_ctx *ctx, edge_tx *tx, const struct purchase *purchase, const char *user)
{
    edge_tx_send(tx,
        "INSERT INTO user_agent_subscriptions AS s (user_id, agent_type, subscription_tier, plan_type,"
        " minutes_allocated, current_minutes_used, billing_cycle_start, billing_cycle_end, "
        "gohighlevel_order_id,"
        " shopify_order_id, source_platform, status, is_active)"
        " VALUES ($1, 'core', $2, $2, nullif($3, 0), 0, $4,"
        " ($4 AT TIME ZONE 'UTC' + make_interval(months => $5)) AT TIME ZONE 'UTC',"
        " CASE WHEN $6 = 'gohighlevel' THEN $7 END, CASE WHEN $6 = 'shopify' THEN $7 END, $6, 'active', true)"
        " ON CONFLICT (user_id, agent_type) DO UPDATE"
        " SET subscription_tier = EXCLUDED.subscription_tier, plan_type = EXCLUDED.plan_type,"
        " minutes_allocated = EXCLUDED.minutes_allocated, billing_cycle_start = EXCLUDED.billing_cycle_start,"
        " billing_cycle_end = EXCLUDED.billing_cycle_end,"
        " gohighlevel_order_id = coalesce(EXCLUDED.gohighlevel_order_id, s.gohighlevel_order_id),"
        " shopify_order_id = coalesce(EXCLUDED.shopify_order_id, s.shopify_order_id),"
        " source_platform = EXCLUDED.source_platform, status = 'active', is_active = true,"
        " current_minutes_used = CASE WHEN $7 IS DISTINCT FROM"
        " CASE WHEN $7 IS NOT NULL AND $6 = 'shopify' THEN s.shopify_order_id"
        " WHEN $7 IS NOT NULL THEN s.gohighlevel_order_id END"
        " OR s.billing_cycle_end <= $4 THEN 0 ELSE s.current_minutes_used END",
        edge_text(user), edge_text(purchase->plan->label), edge_int(purchase->plan->minutes),
        edge_time(edge_now(ctx)), edge_int(purchase->months), edge_text(purchase->platform),
        edge_text(purchase->order_id));
}

static void activate(edge_ctx *ctx, edge_tx *tx, const struct purchase *purchase, const struct buyer *buyer)
{
    if (buyer->made)
        store_buyer(ctx, tx, purchase, buyer->id);
    activate_profile(ctx, tx, purchase, buyer->id);
    if (!refresh_order(tx, purchase, buyer->id))
        activate_subscription(ctx, tx, purchase, buyer->id);
    edge_tx_send(tx,
        "INSERT INTO user_onboarding (user_id, highlevel_webhook_sent)"
        " VALUES ($1, true)"
        " ON CONFLICT (user_id) DO UPDATE SET highlevel_webhook_sent = true",
        edge_text(buyer->id));
}

/*
 * Ends the plan, unless it belongs to another order: one of this store with another number, or one that was
 * bought in another store since. False: it does.
 */
static bool cancel(edge_ctx *ctx, edge_tx *tx, const struct purchase *purchase, const char *user)
{
    edge_tx_send(tx, "SELECT FROM profiles WHERE id = $1 FOR UPDATE", edge_text(user));
    edge_rows *others = edge_tx_query(tx,
        "SELECT FROM user_agent_subscriptions"
        " WHERE user_id = $1 AND agent_type = 'core'"
        " AND (CASE WHEN $2 = 'shopify' THEN shopify_order_id ELSE gohighlevel_order_id END <> coalesce($3, '')"
        " OR (source_platform <> $2 AND source_platform IN ('gohighlevel', 'shopify')))"
        " FOR UPDATE",
        edge_text(user), edge_text(purchase->platform), edge_text(purchase->order_id));
    if (edge_rows_count(others) > 0)
        return false;

    edge_tx_send(tx,
        "UPDATE user_agent_subscriptions"
        " SET status = 'inactive', is_active = false, billing_cycle_end = $2"
        " WHERE user_id = $1 AND agent_type = 'core'",
        edge_text(user), edge_time(edge_now(ctx)));
    edge_tx_send(tx,
        "UPDATE profiles"
        " SET subscription_status = 'inactive',"
        " subscription_tier = CASE WHEN subscription_tier IN ('Admin', 'Owner', 'Investor') THEN "
        "subscription_tier"
        " ELSE 'Free' END"
        " WHERE id = $1 AND NOT EXISTS (SELECT FROM user_agent_subscriptions"
        " WHERE user_id = $1 AND is_active AND status = 'active')",
        edge_text(user));
    return true;
}

/* Delivery, effects and health row in one transaction. NULL: applied; else the answer that says why not. */
static json_t *apply_once(edge_ctx *ctx, const struct purchase *purchase, const struct buyer *buyer)
{
    json_t *refusal = NULL;
    EDGE_TRANSACTION(ctx, tx, .service = true, .retries = 3)
    {
        refusal = NULL;
        if (!webhook_is_new(ctx, tx, purchase->platform, purchase->event_id))
            return webhook_duplicate();
        if (!purchase->cancel)
            activate(ctx, tx, purchase, buyer);
        else if (!cancel(ctx, tx, purchase, buyer->id))
            refusal = webhook_ignored("other_order");
        store_health(ctx, tx, purchase);
    }
    return refusal;
}

json_t *purchase_apply(edge_ctx *ctx, const struct purchase *purchase)
{
    struct attempt *attempt = edge_alloc(ctx, sizeof *attempt);
    attempt->purchase = purchase;
    edge_wait_until(ctx, note_unsettled, attempt);

    edge_rows *rows[2];
    edge_service_query_batch(ctx, rows,
        EDGE_SQL("SELECT FROM edge.webhook_events WHERE provider = $1 AND event_id = $2",
            edge_text(purchase->platform), edge_text(webhook_event_key(ctx, purchase->event_id))),
        EDGE_SQL("SELECT id FROM profiles WHERE lower(email) = $1 ORDER BY created_at, id LIMIT 1",
            edge_text(purchase->email)));

    json_t *answer = NULL;
    struct buyer buyer = { 0 };
    if (edge_rows_count(rows[0]) > 0)
        answer = webhook_duplicate();
    else if (edge_rows_count(rows[1]) > 0)
        buyer = (struct buyer){ edge_rows_text(rows[1], 0, "id"), .made = false };
    else if (purchase->cancel)
        answer = webhook_ignore(ctx, purchase->platform, purchase->event_id, "unknown_user");
    else
        buyer = find_account(ctx, attempt);

    if (answer == NULL)
        answer = apply_once(ctx, purchase, &buyer);
    attempt->settled = true;
    if (answer != NULL)
        return answer;
    return json_pack("{s:b, s:s, s:s}", "success", 1, "userId", buyer.id, "plan", purchase->plan->label);
}
