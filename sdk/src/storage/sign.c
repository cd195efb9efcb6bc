/*
 * Signed URLs: a token (HS256) that names the object and when it ends, made and checked without asking anybody.
 */
#include "storage/sign.h"

#include "crypto/jws.h"
#include "storage/storage.h"

#include <context.h>

#include <edge/crypto.h>
#include <edge/http.h>
#include <edge/json.h>
#include <edge/request.h>

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

static struct {
    char *key; /* NULL: nothing can be signed */
    size_t key_length;
    char *public_url;
} sign;

/* Other hosts, and other instances of the same service key, come to the same one. */
static int derive_key(const char *service_key)
{
    static const char label[] = "storage-signing-v1";
    sign.key = malloc(EDGE_SHA256_BYTES);
    if (sign.key == NULL)
        return -ENOMEM;
    edge_hmac_sha256(service_key, strlen(service_key), label, sizeof label - 1, (uint8_t *)sign.key);
    sign.key_length = EDGE_SHA256_BYTES;
    return 0;
}

int sign_start(const struct storage_settings *settings)
{
    int result = 0;
    if (settings->public_url != NULL) {
        sign.public_url = strdup(settings->public_url);
        result = sign.public_url != NULL ? 0 : -ENOMEM;
        size_t length = result == 0 ? strlen(sign.public_url) : 0;
        if (length > 0 && sign.public_url[length - 1] == '/')
            sign.public_url[length - 1] = '\0';
    }
    if (result == 0 && settings->signing_key != NULL) {
        sign.key = strdup(settings->signing_key);
        sign.key_length = strlen(settings->signing_key);
        return sign.key != NULL ? 0 : -ENOMEM;
    }
    return result == 0 && settings->service_key != NULL ? derive_key(settings->service_key) : result;
}

void sign_stop(void)
{
    if (sign.key != NULL)
        OPENSSL_cleanse(sign.key, sign.key_length);
    free(sign.key);
    free(sign.public_url);
    sign.key = sign.public_url = NULL;
}

static const char *encode_path(edge_ctx *ctx, const char *path)
{
    char *out = edge_copy(ctx, "");
    for (const char *at = path;;) {
        size_t length = strcspn(at, "/");
        const char *segment = edge_url_encode(ctx, edge_copy_bytes(ctx, at, length));
        out = edge_format(ctx, "%s%s%s", out, at == path ? "" : "/", segment);
        if (at[length] == '\0')
            return out;
        at += length + 1;
    }
}

const char *edge_storage_sign_url(edge_ctx *ctx, const char *bucket, const char *path, int64_t ttl_seconds)
{
    storage_check_names(ctx, bucket, path);
    if (sign.key == NULL)
        edge_fail(ctx, 503, "not_configured", "STORAGE_SIGNING_KEY is not configured");
    int64_t now = edge_now(ctx) / 1000000;
    json_t *payload = json_pack("{s:o, s:I, s:I}", "url", json_string(edge_format(ctx, "%s/%s", bucket, path)),
        "iat", (json_int_t)now, "exp", (json_int_t)(now + (ttl_seconds < 1 ? 1 : ttl_seconds)));
    const char *token = jws_sign(ctx, payload, sign.key, sign.key_length);
    return edge_format(ctx, "%s" STORAGE_SIGN_PATH "%s/%s?token=%s",
        sign.public_url != NULL ? sign.public_url : edge_request_origin(ctx), bucket, encode_path(ctx, path),
        token);
}

static bool is_number(const json_t *payload, const char *name)
{
    return json_is_number(json_object_get(payload, name));
}

enum storage_grant storage_check(
    edge_ctx *ctx, const char *name, const char *token, struct storage_target *target)
{
    if (sign.key == NULL)
        return STORAGE_NO_KEY;
    const json_t *payload = token != NULL ? jws_verify(ctx, token, sign.key, sign.key_length) : NULL;
    const char *url = edge_json_text(payload, "url"), *slash = strchr(name, '/');
    if (url == NULL || !is_number(payload, "exp") || slash == NULL ||
        !edge_equal(url, strlen(url), name, strlen(name)))
        return STORAGE_TOKEN_INVALID;

    target->bucket = edge_copy_bytes(ctx, name, (size_t)(slash - name));
    target->path = edge_copy(ctx, slash + 1);
    target->expires_s = edge_json_int(payload, "exp", 0);
    if (!storage_names_are_sound(target->bucket, target->path))
        return STORAGE_TOKEN_INVALID;
    return target->expires_s > edge_now(ctx) / 1000000 ? STORAGE_GRANTED : STORAGE_TOKEN_EXPIRED;
}
