/*
 * skySlopeAuth: stores a user's SkySlope access key after a login with it, or forgets it. One round trip,
 * behind the call; a key that fails leaves an existing connection as it is.
 *
 * SkySlope: https://api.skyslope.com/docs (Authentication).
 */
#include <edge/edge.h>

#include <string.h>

#include "lib/api_key.h"
#include "lib/oauth_flow.h"
#include "lib/skyslope_login.h"

enum {
    CHECK_MS = 5000,
};

static const char *const actions[] = { "connect", "disconnect", NULL };

static const edge_field input[] = {
    { "userId", EDGE_USER, .help = "The caller's own id, or absent" },
    { "action", EDGE_ENUM, .values = actions, .fallback = "connect", .help = "What is to be done" },
    { "accessKey", EDGE_TEXT, .help = "The user's access key; connect: required" },
    { "accessSecret", EDGE_TEXT, .help = "And its secret; connect: required" },
    { "clientId", EDGE_TEXT, .help = "The user's own integration instead of ours" },
    { "clientSecret", EDGE_TEXT, .help = "And its secret" },
    { 0 },
};

static struct skyslope_keys read_keys(edge_ctx *ctx, const json_t *in)
{
    struct skyslope_keys keys = {
        .access_key = api_key_required(ctx, in, "accessKey", "SkySlope access key is required"),
        .access_secret = api_key_required(ctx, in, "accessSecret", "SkySlope access secret is required"),
        .client_id = api_key_optional(ctx, in, "clientId"),
        .client_secret = api_key_optional(ctx, in, "clientSecret"),
    };
    if (keys.client_id == NULL && keys.client_secret != NULL)
        edge_fail_with(
            ctx, 400, "invalid_input", .field = "clientId", .message = "clientId belongs to clientSecret");
    if (keys.client_id != NULL && keys.client_secret == NULL)
        edge_fail_with(
            ctx, 400, "invalid_input", .field = "clientSecret", .message = "clientSecret belongs to clientId");
    return keys;
}

/* What is stored: the integration's keys only when they are the user's own. */
static json_t *credentials_of(const struct skyslope_keys *keys)
{
    json_t *values = json_pack("{s:s, s:s, s:I}", "access_key", keys->access_key, "access_secret",
        keys->access_secret, "obtained_at", (json_int_t)(edge_now_exact() / 1000000));
    if (keys->client_id != NULL) {
        json_object_set_new(values, "client_id", json_string(keys->client_id));
        json_object_set_new(values, "client_secret", json_string(keys->client_secret));
    }
    return values;
}

static void verify(edge_ctx *ctx, const struct service *service, struct skyslope_keys keys)
{
    if (keys.client_id == NULL) {
        keys.client_id = edge_env_required(ctx, "SKYSLOPE_CLIENT_ID");
        keys.client_secret = edge_env_required(ctx, "SKYSLOPE_CLIENT_SECRET");
    }
    edge_reply *reply = skyslope_log_in(ctx, &keys, oauth_timeout_ms(ctx, CHECK_MS));
    bool answered = reply->failure == EDGE_HTTP_OK;
    if (answered && (reply->status == 400 || reply->status == 401 || reply->status == 403))
        api_key_reject(ctx, "Invalid SkySlope access key");
    if (reply->json == NULL)
        reply->json = skyslope_json(ctx, reply);
    const struct connection_failure *failure = oauth_failure(ctx, service, "login", reply);
    if (failure != NULL)
        connection_fail(ctx, failure);
    const char *session = edge_json_text(reply->json, "Session");
    if (session == NULL || session[0] == '\0')
        edge_fail(ctx, 502, "provider_error", "SkySlope gave an unusable answer");
}

static json_t *sky_slope_auth(edge_ctx *ctx, json_t *in)
{
    const struct service *service = service_named(ctx, "skyslope");
    if (strcmp(edge_json_text(in, "action"), "disconnect") == 0) {
        api_key_forget(ctx, edge_auth_user(ctx), service);
        return json_pack("{s:b, s:s}", "success", 1, "message", "SkySlope disconnected");
    }
    struct skyslope_keys keys = read_keys(ctx, in);
    edge_seal_require(ctx);
    verify(ctx, service, keys);

    json_t *account = json_object(); /* a login tells nothing of whose key it is */
    connection_store_key(ctx, edge_auth_user(ctx), service, credentials_of(&keys), account);
    return api_key_answer("SkySlope connected", account);
}

EDGE_FUNCTION(skySlopeAuth,
    .summary = "Connects or disconnects SkySlope with an access key",
    .input = input,
    .output = api_key_output,
    .handle = sky_slope_auth,
    .shape = &oauth_callback_shape,
    .trims = true);
