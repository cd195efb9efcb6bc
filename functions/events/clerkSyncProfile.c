/*
 * clerkSyncProfile: the front end calls it when it starts, so that the profile is there even if Clerk's webhook
 * is late. Parallel calls are harmless: every write is an upsert.
 *
 * One call of Clerk and one round trip to the database, as the service: the row may not be there yet. Only the
 * session's own user is written.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/clerk.h"

static const edge_field input[] = {
    { "userId", EDGE_USER, .help = "The caller's own id" },
    { 0 },
};

static const edge_field output[] = {
    { "success", EDGE_BOOL, .required = true, .help = "true" },
    { "userId", EDGE_TEXT, .required = true, .help = "The caller" },
    { "created", EDGE_BOOL, .required = true, .help = "Whether the profile is new" },
    { 0 },
};

static json_t *fetch_user(edge_ctx *ctx, const char *id)
{
    edge_reply *reply = edge_try_fetch(ctx, "clerk",
        .path = edge_format(ctx, "/v1/users/%s", edge_url_encode(ctx, id)), .timeout_ms = 10000, .retries = -1);

    if (reply->failure == EDGE_HTTP_TIMEOUT)
        edge_fail(ctx, 504, "clerk_timeout", "Clerk did not answer in time");
    if (reply->status == 404)
        edge_fail(ctx, 404, "user_not_found", "Clerk knows no user \"%s\"", id);
    if (reply->status == 401 || reply->status == 403)
        edge_fail(ctx, 503, "clerk_unauthorized", "Clerk does not accept this server's key");
    if (reply->status == 429)
        edge_fail_with(ctx, 429, "provider_rate_limited",
            .message = "Clerk is asked too often, try again in a moment",
            .retry_after_seconds = reply->retry_after_seconds);
    if (reply->failure != EDGE_HTTP_OK || reply->status != 200 || !json_is_object(reply->json))
        edge_fail(ctx, 502, "clerk_failed", "Clerk failed to describe the user");
    return reply->json;
}

static const char *primary_phone(const json_t *user)
{
    const char *primary = edge_json_text(user, "primary_phone_number_id");
    size_t i;
    json_t *entry;
    json_array_foreach(json_object_get(user, "phone_numbers"), i, entry)
    {
        const char *id = edge_json_text(entry, "id");
        if (primary != NULL && id != NULL && strcmp(id, primary) == 0)
            return edge_json_text(entry, "phone_number");
    }
    return NULL;
}

static bool store(edge_ctx *ctx, const char *id, const json_t *user)
{
    bool created = false;
    EDGE_TRANSACTION(ctx, tx, .service = true, .retries = 3)
    {
        created = clerk_store_profile(tx, id, user, primary_phone(user));
        clerk_begin_onboarding(tx, id);
    }
    return created;
}

static json_t *clerk_sync_profile(edge_ctx *ctx, json_t *in)
{
    (void)in;
    const char *id = edge_auth_user(ctx);
    edge_env_required(ctx, "CLERK_SECRET_KEY");

    bool created = store(ctx, id, fetch_user(ctx, id));
    return json_pack("{s:b, s:s, s:b}", "success", 1, "userId", id, "created", created);
}

EDGE_FUNCTION(clerkSyncProfile,
    .summary = "Brings the caller's profile up to date with Clerk",
    .input = input,
    .output = output,
    .handle = clerk_sync_profile);
