/*
 * Signing events as their senders do.
 */
#include "cli/webhook_sign.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEY_MAX = 256,
    MAC_BYTES = 32
};

/* HMAC-SHA256 of head and body, one after the other. */
static void sign(const void *key, size_t key_length, const char *head, const void *body, size_t length,
    unsigned char mac[MAC_BYTES])
{
    size_t head_length = strlen(head);
    unsigned char *content = malloc(head_length + length + 1);
    unsigned int written = 0;
    if (content == NULL)
        abort();
    memcpy(content, head, head_length);
    memcpy(content + head_length, body, length);
    HMAC(EVP_sha256(), key, (int)key_length, content, head_length + length, mac, &written);
    free(content);
}

/* The bytes of a Svix secret; 0 when it is not base64. */
static size_t key_decode(const char *secret, unsigned char key[KEY_MAX])
{
    if (strncmp(secret, "whsec_", 6) == 0)
        secret += 6;
    size_t length = strlen(secret);
    int decoded = length > KEY_MAX ? -1 : EVP_DecodeBlock(key, (const unsigned char *)secret, (int)length);
    if (decoded <= 0)
        return 0;
    /* EVP_DecodeBlock counts the padding as bytes. */
    for (; length > 0 && secret[length - 1] == '='; length--)
        decoded--;
    return (size_t)decoded;
}

bool webhook_sign_svix(const char *secret, const char *id, long long timestamp, const void *body, size_t length,
    char out[SIGNATURE_BYTES])
{
    unsigned char key[KEY_MAX], mac[MAC_BYTES], encoded[MAC_BYTES * 2];
    size_t key_length = key_decode(secret, key);
    char head[256];
    if (key_length == 0 || snprintf(head, sizeof head, "%s.%lld.", id, timestamp) >= (int)sizeof head)
        return false;
    sign(key, key_length, head, body, length, mac);
    EVP_EncodeBlock(encoded, mac, MAC_BYTES);
    snprintf(out, SIGNATURE_BYTES, "v1,%s", (const char *)encoded);
    return true;
}

void webhook_sign_elevenlabs(
    const char *secret, long long timestamp, const void *body, size_t length, char out[SIGNATURE_BYTES])
{
    unsigned char mac[MAC_BYTES];
    char head[32];
    snprintf(head, sizeof head, "%lld.", timestamp);
    sign(secret, strlen(secret), head, body, length, mac);
    int written = snprintf(out, SIGNATURE_BYTES, "t=%lld,v0=", timestamp);
    for (size_t i = 0; i < MAC_BYTES; i++)
        written += snprintf(out + written, (size_t)(SIGNATURE_BYTES - written), "%02x", mac[i]);
}

void webhook_sign_shopify(const char *secret, const void *body, size_t length, char out[SIGNATURE_BYTES])
{
    unsigned char mac[MAC_BYTES];
    sign(secret, strlen(secret), "", body, length, mac);
    EVP_EncodeBlock((unsigned char *)out, mac, MAC_BYTES);
}
