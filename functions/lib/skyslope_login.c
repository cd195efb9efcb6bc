/*
 * SkySlope's login.
 */
#include "lib/skyslope_login.h"

#include <string.h>
#include <time.h>

static const char *timestamp_now(edge_ctx *ctx)
{
    char text[sizeof "2026-01-02T03:04:05Z"];
    time_t seconds = (time_t)(edge_now_exact() / 1000000);
    struct tm at;
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &at));
    return edge_copy(ctx, text);
}

static const char *signature(edge_ctx *ctx, const struct skyslope_keys *keys, const char *timestamp)
{
    const char *message = edge_format(ctx, "%s:%s:%s", keys->client_id, keys->client_secret, timestamp);
    uint8_t mac[EDGE_SHA256_BYTES];
    edge_hmac_sha256(keys->access_secret, strlen(keys->access_secret), message, strlen(message), mac);
    return edge_base64(ctx, mac, sizeof mac);
}

edge_reply *skyslope_log_in(edge_ctx *ctx, const struct skyslope_keys *keys, int64_t timeout_ms)
{
    const char *timestamp = timestamp_now(ctx);
    const edge_header headers[] = { { "Timestamp", timestamp },
        { "Authorization", edge_format(ctx, "SS %s:%s", keys->access_key, signature(ctx, keys, timestamp)) },
        { "Accept", "application/json" }, { "User-Agent", "PulseEdge/1.0" }, { 0 } };
    return edge_try_fetch(ctx, "skyslope", .method = "POST", .path = "/auth/login", .headers = headers,
        .json = json_pack("{s:s, s:s}", "clientID", keys->client_id, "clientSecret", keys->client_secret),
        .timeout_ms = timeout_ms, .retries = -1, .max_bytes = 1 << 20);
}

json_t *skyslope_json(edge_ctx *ctx, const edge_reply *reply)
{
    static const char mark[] = "\xef\xbb\xbf";
    if (reply->body == NULL)
        return NULL;
    size_t skipped = strncmp(reply->body, mark, strlen(mark)) == 0 ? strlen(mark) : 0;
    char *text = edge_copy_bytes(ctx, reply->body + skipped, reply->length - skipped);
    for (size_t i = 0; i < reply->length - skipped; i++)
        if ((unsigned char)text[i] < ' ' && strchr("\t\n\r", text[i]) == NULL)
            text[i] = ' ';
    return edge_json_parse(ctx, text, reply->length - skipped);
}
