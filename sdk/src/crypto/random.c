/*
 * Random bytes and UUIDs (RFC 9562).
 */
#include <edge/crypto.h>

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

enum {
    UUID_BYTES = 16,
    UUID_TEXT = 36,
    SHA1_BYTES = 20
};

/* RFC 9562 6.6: 6ba7b811-9dad-11d1-80b4-00c04fd430c8. */
static const uint8_t url_namespace[UUID_BYTES] = {
    0x6b,
    0xa7,
    0xb8,
    0x11,
    0x9d,
    0xad,
    0x11,
    0xd1,
    0x80,
    0xb4,
    0x00,
    0xc0,
    0x4f,
    0xd4,
    0x30,
    0xc8,
};

/* 6ba7b810-9dad-11d1-80b4-00c04fd430c8. */
static const uint8_t dns_namespace[UUID_BYTES] = {
    0x6b,
    0xa7,
    0xb8,
    0x10,
    0x9d,
    0xad,
    0x11,
    0xd1,
    0x80,
    0xb4,
    0x00,
    0xc0,
    0x4f,
    0xd4,
    0x30,
    0xc8,
};

void edge_random(void *out, size_t length)
{
    uint8_t *at = out;
    while (length > 0) {
        int piece = length < INT_MAX ? (int)length : INT_MAX;
        /* Predictable "random" bytes would be served as session and idempotency keys: there is no going on. */
        if (RAND_bytes(at, piece) != 1)
            abort();
        at += piece;
        length -= (size_t)piece;
    }
}

/* Sets version and variant, and writes the five groups. */
static const char *uuid_text(edge_ctx *ctx, uint8_t raw[UUID_BYTES], int version)
{
    static const char digits[] = "0123456789abcdef";
    raw[6] = (uint8_t)((raw[6] & 0x0f) | (version << 4));
    raw[8] = (raw[8] & 0x3f) | 0x80;

    char *text = edge_alloc(ctx, UUID_TEXT + 1), *at = text;
    for (size_t i = 0; i < UUID_BYTES; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        *at++ = digits[raw[i] >> 4];
        *at++ = digits[raw[i] & 15];
    }
    return text;
}

const char *edge_uuid_v4(edge_ctx *ctx)
{
    uint8_t raw[UUID_BYTES];
    edge_random(raw, sizeof raw);
    return uuid_text(ctx, raw, 4);
}

static const char *uuid_v5(edge_ctx *ctx, const uint8_t space[UUID_BYTES], const char *name)
{
    size_t length = strlen(name);
    uint8_t *input = edge_alloc(ctx, UUID_BYTES + length);
    memcpy(input, space, UUID_BYTES);
    memcpy(input + UUID_BYTES, name, length);

    uint8_t digest[SHA1_BYTES];
    if (EVP_Digest(input, UUID_BYTES + length, digest, NULL, EVP_sha1(), NULL) != 1)
        abort();
    return uuid_text(ctx, digest, 5);
}

const char *edge_uuid_v5_url(edge_ctx *ctx, const char *name)
{
    return uuid_v5(ctx, url_namespace, name);
}

const char *edge_uuid_v5_dns(edge_ctx *ctx, const char *name)
{
    return uuid_v5(ctx, dns_namespace, name);
}
