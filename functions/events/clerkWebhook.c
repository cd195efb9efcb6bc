/*
 * clerkWebhook: Clerk tells of accounts made, changed and deleted; profiles and user_onboarding follow. The
 * host has verified the signature over the raw body (auth = "webhook:svix") before any line of this runs.
 *
 * A value that Clerk does not send never overwrites one that is stored, and role, subscription and phone are
 * ours.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/clerk.h"
#include "lib/webhook.h"

enum {
    ID_MAX = 255, /* characters of a Clerk id */
};

static size_t characters(const char *text)
{
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

static const char *user_id(edge_ctx *ctx, json_t *data)
{
    const char *id = edge_json_text(data, "id");
    if (id == NULL || id[0] == '\0' || characters(id) > ID_MAX)
        edge_fail(ctx, 400, "invalid_payload", "data.id must be a string of 1 to 255 characters");
    return id;
}

/* Who the person was and what opens their accounts goes; what happened stays, without a name. */
static void forget_person(edge_tx *tx, const char *id)
{
    edge_tx_send(tx,
        "UPDATE profiles"
        " SET email = NULL, full_name = NULL, avatar_url = NULL, phone = NULL, license_number = NULL,"
        " subscription_status = 'deleted'"
        " WHERE id = $1",
        edge_text(id));
    edge_tx_send(
        tx, "UPDATE user_preferences SET email_notifications = false WHERE user_id = $1", edge_text(id));
    edge_tx_send(tx,
        "UPDATE user_agent_subscriptions SET is_active = false, status = 'inactive' WHERE user_id = $1",
        edge_text(id));
    edge_tx_send(tx,
        "UPDATE external_service_connections"
        " SET credentials = '{}', settings = '{}', connection_status = 'disconnected'"
        " WHERE user_id = $1",
        edge_text(id));
    edge_tx_send(tx,
        "UPDATE crm_connections"
        " SET credentials = '{}', connection_status = 'disconnected',"
        " sync_settings = ("
        " SELECT coalesce(jsonb_object_agg(key, value), '{}')"
        " FROM jsonb_each(CASE WHEN jsonb_typeof(sync_settings) = 'object' THEN sync_settings ELSE '{}' END)"
        " WHERE NOT starts_with(key, 'account_'))"
        " WHERE user_id = $1",
        edge_text(id));
}

/* Records the delivery and applies it; false when it has been applied before. */
static bool apply_once(edge_ctx *ctx, const char *type, const char *id, json_t *data)
{
    EDGE_TRANSACTION(ctx, tx, .service = true)
    {
        if (!webhook_is_new(ctx, tx, "clerk", webhook_svix_id(ctx)))
            return false;
        if (strcmp(type, "user.created") == 0 || strcmp(type, "user.updated") == 0)
            clerk_send_profile(tx, id, data, NULL);
        if (strcmp(type, "user.created") == 0)
            clerk_begin_onboarding(tx, id);
        if (strcmp(type, "user.deleted") == 0)
            forget_person(tx, id);
    }
    return true;
}

static bool is_handled(const char *type)
{
    return strcmp(type, "user.created") == 0 || strcmp(type, "user.updated") == 0 ||
           strcmp(type, "user.deleted") == 0;
}

static json_t *clerk_webhook(edge_ctx *ctx, json_t *in)
{
    (void)in;
    json_t *event = webhook_event(ctx);
    json_t *data = json_object_get(event, "data");
    const char *type = edge_json_text(event, "type");
    if (type == NULL || type[0] == '\0')
        edge_fail(ctx, 400, "invalid_payload", "type must be a string");

    const char *id = is_handled(type) ? user_id(ctx, data) : NULL;
    if (!apply_once(ctx, type, id, data))
        return webhook_duplicate();
    return id != NULL ? webhook_done() : webhook_ignored("unhandled_type");
}

EDGE_FUNCTION(clerkWebhook,
    .summary = "Keeps profiles in step with Clerk's accounts",
    .output = webhook_output,
    .handle = clerk_webhook,
    .raw_body = true);
