/*
 * SkySlope's login.
 */
#include "lib/skyslope_login.h"

#include <string.h>

static const char *timestamp_now(edge_ctx *ctx)
{
    return edge_format(ctx, "%.19sZ", edge_iso_time(ctx, edge_now_exact()));
}

static const char *signature(edge_ctx *ctx, const struct skyslope_keys *keys, const char *timestamp)
{
    const char *message = edge_format(ctx, "%s:%s:%s", keys->client_id, keys->client_secret, timestamp);
    uint8_t mac[EDGE_SHA256_BYTES];
    edge_hmac_sha256(keys->access_secret, strlen(keys->access_secret), message, strlen(message), mac);
    return edge_base64(ctx, mac, sizeof mac);
}

const edge_header *skyslope_login_headers(edge_ctx *ctx, const struct skyslope_keys *keys)
{
    const char *timestamp = timestamp_now(ctx);
    edge_header *headers = edge_alloc(ctx, 3 * sizeof *headers);
    headers[0] = (edge_header){ "Timestamp", timestamp };
    headers[1] = (edge_header){ "Authorization",
        edge_format(ctx, "SS %s:%s", keys->access_key, signature(ctx, keys, timestamp)) };
    return headers;
}

json_t *skyslope_login_body(const struct skyslope_keys *keys)
{
    return json_pack("{s:s, s:s}", "clientID", keys->client_id, "clientSecret", keys->client_secret);
}

edge_reply *skyslope_log_in(edge_ctx *ctx, const struct skyslope_keys *keys, int64_t timeout_ms)
{
    const edge_header *login = skyslope_login_headers(ctx, keys);
    const edge_header headers[] = { login[0], login[1], { "Accept", "application/json" },
        { "User-Agent", "PulseEdge/1.0" }, { 0 } };
    return edge_try_fetch(ctx, "skyslope", .method = "POST", .path = SKYSLOPE_LOGIN_PATH, .headers = headers,
        .json = skyslope_login_body(keys), .timeout_ms = timeout_ms, .retries = -1, .max_bytes = 1 << 20);
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
