/*
 * The keys of envelopes: one page of their own, see host/crypto.h.
 *
 * The page is left out of core dumps and wiped in forked children, count included: a child has no keys rather
 * than keys of zeroes. Locking it against being swapped out is tried and may fail (RLIMIT_MEMLOCK).
 */
#include "crypto/keys.h"

#include <crypto.h>
#include <log.h>

#include <edge/crypto.h>

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum {
    KEY_TEXT = 44 /* base64 of 32 bytes */
};

static struct vault {
    bool has_current, has_previous;
    struct seal_key current, previous;
} * vault;

/* Exactly 32 bytes in padded base64 with nothing around it; written again it must be what was read. */
static bool decode(const char *text, uint8_t key[SEAL_KEY_BYTES])
{
    uint8_t raw[KEY_TEXT / 4 * 3], again[KEY_TEXT + 1];
    bool good = strlen(text) == KEY_TEXT && EVP_DecodeBlock(raw, (const uint8_t *)text, KEY_TEXT) > 0;
    if (good) {
        EVP_EncodeBlock(again, raw, SEAL_KEY_BYTES);
        good = memcmp(again, text, KEY_TEXT) == 0;
        memcpy(key, raw, SEAL_KEY_BYTES);
    }
    OPENSSL_cleanse(raw, sizeof raw);
    OPENSSL_cleanse(again, sizeof again);
    return good;
}

static void name_key(struct seal_key *key)
{
    uint8_t digest[EDGE_SHA256_BYTES];
    edge_sha256(key->bytes, sizeof key->bytes, digest);
    for (size_t i = 0; i < SEAL_KID_LENGTH / 2; i++)
        snprintf(key->kid + 2 * i, 3, "%02x", digest[i]);
}

/* getenv's text is the process's own: overwritten, it is gone from /proc/self/environ and for every plugin. */
static bool take(const char *variable, struct seal_key *key)
{
    char *text = getenv(variable);
    if (text == NULL || text[0] == '\0')
        return false;
    bool good = decode(text, key->bytes);
    OPENSSL_cleanse(text, strlen(text));
    unsetenv(variable);
    if (good)
        name_key(key);
    else
        log_event(EDGE_LOG_ERROR, "encryption_key_malformed", { "variable", edge_text(variable) },
            { "reason", edge_text("it is not the base64 of 32 bytes") });
    return good;
}

int crypto_start(void)
{
    void *page = mmap(NULL, sizeof *vault, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return -errno;
    if (madvise(page, sizeof *vault, MADV_DONTDUMP) < 0 || madvise(page, sizeof *vault, MADV_WIPEONFORK) < 0) {
        int error = errno;
        munmap(page, sizeof *vault);
        return -error;
    }
    mlock(page, sizeof *vault);
    vault = page;
    vault->has_current = take("EDGE_ENCRYPTION_KEY", &vault->current);
    vault->has_previous = take("EDGE_ENCRYPTION_KEY_PREVIOUS", &vault->previous);
    return 0;
}

void crypto_stop(void)
{
    if (vault == NULL)
        return;
    OPENSSL_cleanse(vault, sizeof *vault);
    munmap(vault, sizeof *vault);
    vault = NULL;
}

bool crypto_can_seal(void)
{
    return keys_current() != NULL;
}

const struct seal_key *keys_current(void)
{
    return vault != NULL && vault->has_current ? &vault->current : NULL;
}

bool keys_any(void)
{
    return vault != NULL && (vault->has_current || vault->has_previous);
}

const struct seal_key *keys_find(const char *kid)
{
    if (vault != NULL && vault->has_current && strcmp(kid, vault->current.kid) == 0)
        return &vault->current;
    if (vault != NULL && vault->has_previous && strcmp(kid, vault->previous.kid) == 0)
        return &vault->previous;
    return NULL;
}
