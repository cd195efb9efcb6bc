/*
 * The keys of envelopes, as envelope.c uses them.
 */
#ifndef CRYPTO_KEYS_H
#define CRYPTO_KEYS_H

#include <stdbool.h>
#include <stdint.h>

enum {
    SEAL_KEY_BYTES = 32,
    SEAL_KID_LENGTH = 8
};

struct seal_key {
    uint8_t bytes[SEAL_KEY_BYTES];
    char kid[SEAL_KID_LENGTH + 1]; /* first hexadecimal digits of the key's SHA-256 */
};

/* The key that seals, NULL when there is none. */
const struct seal_key *keys_current(void);

/* Whether anything can be opened. */
bool keys_any(void);

/* The key of an id, current or previous, NULL when there is none of that id. */
const struct seal_key *keys_find(const char *kid);

#endif
