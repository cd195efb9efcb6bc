/*
 * followUpBossAuth: connects Follow Up Boss with an API key that it has been asked about, or forgets the key.
 * One round trip, behind the call.
 *
 * The key is the user of HTTP Basic, without a password; the system headers say which integration calls
 * (https://docs.followupboss.com/reference/authentication, .../reference/identification). GET /v1/me also
 * answers with the key itself: of its body only the named members are read.
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/api_key.h"
#include "lib/oauth_flow.h"

enum {
    CHECK_MS = 5000,
};

static const char *const actions[] = { "connect", "disconnect", NULL };

static const edge_field input[] = {
    { "userId", EDGE_USER, .help = "The caller's own id, or absent" },
    { "action", EDGE_ENUM, .values = actions, .fallback = "connect", .help = "What is to be done" },
    { "apiKey", EDGE_TEXT, .help = "Follow Up Boss API key; connect: required" },
    { 0 },
};

static edge_reply *ask(edge_ctx *ctx, const char *key)
{
    const char *system = edge_env(ctx, "FOLLOWUPBOSS_SYSTEM"),
               *system_key = edge_env(ctx, "FOLLOWUPBOSS_SYSTEM_KEY");
    bool both = system != NULL && system_key != NULL;
    const edge_header headers[] = { { "Authorization", oauth_basic(ctx, key, "") },
        { "Accept", "application/json" }, { "User-Agent", "PulseEdge/1.0" },
        { both ? "X-System" : NULL, system }, { "X-System-Key", system_key }, { 0 } };
    return edge_try_fetch(ctx, "followupboss", .path = "/v1/me", .headers = headers,
        .timeout_ms = oauth_timeout_ms(ctx, CHECK_MS), .retries = -1, .max_bytes = 1 << 20);
}

static json_t *verify(edge_ctx *ctx, const struct service *service, const char *key)
{
    edge_reply *reply = ask(ctx, key);
    if (reply->failure == EDGE_HTTP_OK && reply->status == 401)
        api_key_reject(ctx, "Invalid Follow Up Boss API key");
    if (reply->failure == EDGE_HTTP_OK && reply->status == 403)
        api_key_reject(ctx, "The Follow Up Boss account is locked");
    const struct connection_failure *failure = oauth_failure(ctx, service, "me", reply);
    if (failure != NULL)
        connection_fail(ctx, failure);
    const char *id = api_key_id(ctx, reply->json, "id"), *email = edge_json_text(reply->json, "email");
    if (id == NULL && email == NULL)
        edge_fail(ctx, 502, "provider_error", "Follow Up Boss gave an unusable answer");
    const char *name = edge_json_text(reply->json, "name");
    if (name == NULL || name[0] == '\0')
        name = api_key_full_name(ctx, reply->json);
    return api_key_account(name, email, id);
}

static json_t *follow_up_boss_auth(edge_ctx *ctx, json_t *in)
{
    const struct service *service = service_named(ctx, "follow_up_boss");
    if (strcmp(edge_json_text(in, "action"), "disconnect") == 0) {
        api_key_forget(ctx, edge_auth_user(ctx), service);
        return json_pack("{s:b, s:s}", "success", 1, "message", "Follow Up Boss disconnected");
    }
    const char *key = api_key_required(ctx, in, "apiKey", "Follow Up Boss API key is required");
    edge_seal_require(ctx);
    json_t *account = verify(ctx, service, key);

    connection_store_key(ctx, edge_auth_user(ctx), service,
        json_pack("{s:s, s:I}", "api_key", key, "obtained_at", (json_int_t)(edge_now_exact() / 1000000)),
        account);
    return api_key_answer("Follow Up Boss connected", account);
}

EDGE_FUNCTION(followUpBossAuth,
    .summary = "Connects or disconnects Follow Up Boss with an API key",
    .input = input,
    .output = api_key_output,
    .handle = follow_up_boss_auth,
    .shape = &oauth_callback_shape,
    .trims = true);
