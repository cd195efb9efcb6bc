/*
 * Sealing with a given initialisation vector, for the known answer: a vector used twice gives the key away.
 */
#ifndef CRYPTO_ENVELOPE_H
#define CRYPTO_ENVELOPE_H

#include <edge/crypto.h>

enum {
    SEAL_IV_BYTES = 12,
    SEAL_TAG_BYTES = 16
};

json_t *envelope_seal(
    edge_ctx *ctx, const void *plain, size_t length, const char *aad, const uint8_t iv[SEAL_IV_BYTES]);

#endif
