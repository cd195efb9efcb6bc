/*
 * Sealed texts. The key is known to everybody: nothing here keeps a secret, it keeps stand-ins honest.
 */
#include "lib/sandbox_oauth_seal.h"

#include <string.h>

#define PREFIX "sbx."
#define KEY "sandbox"

static const char *mac_of(edge_ctx *ctx, const char *text, size_t length)
{
    uint8_t mac[EDGE_SHA256_BYTES];
    edge_hmac_sha256(KEY, strlen(KEY), text, length, mac);
    return edge_base64url(ctx, mac, 16);
}

const char *sandbox_seal(edge_ctx *ctx, const json_t *value)
{
    size_t length;
    const char *text = edge_json_dump(ctx, value, &length);
    const char *payload = edge_base64url(ctx, text, length);
    return edge_format(ctx, PREFIX "%s.%s", payload, mac_of(ctx, payload, strlen(payload)));
}

bool sandbox_is_sealed(const char *text)
{
    return strncmp(text, PREFIX, strlen(PREFIX)) == 0;
}

json_t *sandbox_unseal(edge_ctx *ctx, const char *text)
{
    if (text == NULL || !sandbox_is_sealed(text))
        return NULL;
    const char *payload = text + strlen(PREFIX), *dot = strchr(payload, '.');
    if (dot == NULL || strcmp(mac_of(ctx, payload, (size_t)(dot - payload)), dot + 1) != 0)
        return NULL;
    size_t length;
    const uint8_t *bytes =
        edge_base64url_decode(ctx, edge_copy_bytes(ctx, payload, (size_t)(dot - payload)), &length);
    return bytes != NULL ? edge_json_parse(ctx, (const char *)bytes, length) : NULL;
}
