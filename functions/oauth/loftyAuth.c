/*
 * loftyAuth: stores a user's Lofty API key after Lofty has said whose it is. One round trip, behind the call; a
 * key that fails the check leaves an existing connection as it is.
 *
 * The key goes behind the word "token" (https://developer.lofty.com/authentication/overview); Bearer is
 * OAuth's.
 */
#include <edge/edge.h>

#include "lib/api_key.h"
#include "lib/oauth_flow.h"

enum {
    CHECK_MS = 5000,
    BAD_TOKEN = 200058, /* "code" of Lofty's 400 for an access token that is none */
};

static const edge_field input[] = {
    { "userId", EDGE_USER, .help = "The caller's own id, or absent" },
    { "apiKey", EDGE_TEXT, .help = "Lofty API key; required" },
    { 0 },
};

static edge_reply *ask_lofty(edge_ctx *ctx, const char *key)
{
    const edge_header headers[] = { { "Authorization", edge_format(ctx, "token %s", key) },
        { "Accept", "application/json" }, { "User-Agent", "PulseEdge/1.0" }, { 0 } };
    return edge_try_fetch(ctx, "lofty", .path = "/v1.0/me", .headers = headers,
        .timeout_ms = oauth_timeout_ms(ctx, CHECK_MS), .retries = -1, .max_bytes = 1 << 20);
}

static bool refuses_key(const edge_reply *reply)
{
    bool bad_token = reply->status == 400 && edge_json_int(reply->json, "code", 0) == BAD_TOKEN;
    return reply->failure == EDGE_HTTP_OK && (reply->status == 401 || reply->status == 403 || bad_token);
}

static json_t *verify(edge_ctx *ctx, const struct service *service, const char *key)
{
    edge_reply *reply = ask_lofty(ctx, key);
    if (refuses_key(reply))
        api_key_reject(ctx, "Invalid Lofty API key");
    const struct connection_failure *failure = oauth_failure(ctx, service, "me", reply);
    if (failure != NULL)
        connection_fail(ctx, failure);
    const char *id = api_key_id(ctx, reply->json, "id"), *email = edge_json_text(reply->json, "email");
    if (id == NULL)
        id = api_key_id(ctx, reply->json, "userId");
    if (id == NULL && email == NULL)
        edge_fail(ctx, 502, "provider_error", "Lofty gave an unusable answer");
    return api_key_account(api_key_full_name(ctx, reply->json), email, id);
}

static json_t *lofty_auth(edge_ctx *ctx, json_t *in)
{
    const char *key = api_key_required(ctx, in, "apiKey", "Lofty API key is required");
    const struct service *service = service_named(ctx, "lofty");
    edge_seal_require(ctx);
    json_t *account = verify(ctx, service, key);

    connection_store_key(ctx, edge_auth_user(ctx), service,
        json_pack("{s:s, s:I}", "api_key", key, "obtained_at", (json_int_t)(edge_now_exact() / 1000000)),
        account);
    return api_key_answer("Lofty connected successfully", account);
}

EDGE_FUNCTION(loftyAuth,
    .summary = "Connects Lofty with an API key",
    .input = input,
    .output = api_key_connect_output,
    .handle = lofty_auth,
    .shape = &oauth_callback_shape,
    .trims = true);
