/*
 * HS256 tokens; see jws.h. Only what this file's own header says is accepted: there is no algorithm to choose.
 */
#include "crypto/jws.h"

#include <edge/crypto.h>
#include <edge/json.h>

#include <string.h>

enum {
    TOKEN_MAX = 8192
};

const char *jws_sign(edge_ctx *ctx, const json_t *payload, const void *key, size_t key_length)
{
    static const char header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
    size_t length = 0;
    const char *text = edge_json_dump(ctx, payload, &length);
    const char *input = edge_format(
        ctx, "%s.%s", edge_base64url(ctx, header, sizeof header - 1), edge_base64url(ctx, text, length));
    uint8_t mac[EDGE_SHA256_BYTES];
    edge_hmac_sha256(key, key_length, input, strlen(input), mac);
    return edge_format(ctx, "%s.%s", input, edge_base64url(ctx, mac, sizeof mac));
}

static json_t *decode_part(edge_ctx *ctx, const char *text, size_t length)
{
    size_t decoded = 0;
    const uint8_t *bytes = edge_base64url_decode(ctx, edge_copy_bytes(ctx, text, length), &decoded);
    json_t *value = bytes != NULL ? edge_json_parse(ctx, (const char *)bytes, decoded) : NULL;
    return json_is_object(value) ? value : NULL;
}

static bool is_ours(const json_t *header)
{
    const char *alg = edge_json_text(header, "alg");
    return alg != NULL && strcmp(alg, "HS256") == 0 && json_object_get(header, "crit") == NULL;
}

json_t *jws_verify(edge_ctx *ctx, const char *token, const void *key, size_t key_length)
{
    const char *payload = strchr(token, '.');
    const char *signature = payload != NULL ? strchr(payload + 1, '.') : NULL;
    if (signature == NULL || strlen(token) > TOKEN_MAX)
        return NULL;

    uint8_t mac[EDGE_SHA256_BYTES];
    size_t length = 0;
    edge_hmac_sha256(key, key_length, token, (size_t)(signature - token), mac);
    const uint8_t *given = edge_base64url_decode(ctx, signature + 1, &length);
    if (given == NULL || !edge_equal(given, length, mac, sizeof mac))
        return NULL;
    if (!is_ours(decode_part(ctx, token, (size_t)(payload - token))))
        return NULL;
    return decode_part(ctx, payload + 1, (size_t)(signature - payload - 1));
}
