/*
 * Signing events as their senders do: the other side of http/webhook_<scheme>.c, for development.
 */
#ifndef WEBHOOK_SIGN_H
#define WEBHOOK_SIGN_H

#include <stdbool.h>
#include <stddef.h>

enum {
    SIGNATURE_BYTES = 128
};

/* svix-signature of a body: false when the secret is no base64 behind "whsec_". */
bool webhook_sign_svix(const char *secret, const char *id, long long timestamp, const void *body, size_t length,
    char out[SIGNATURE_BYTES]);

/* ElevenLabs-Signature. */
void webhook_sign_elevenlabs(
    const char *secret, long long timestamp, const void *body, size_t length, char out[SIGNATURE_BYTES]);

/* X-Shopify-Hmac-Sha256. */
void webhook_sign_shopify(const char *secret, const void *body, size_t length, char out[SIGNATURE_BYTES]);

#endif
