/*
 * Base64, base64url and hexadecimal (RFC 4648), decoding strictly.
 */
#include <edge/crypto.h>

#include <openssl/evp.h>
#include <string.h>

/* OpenSSL counts in int; pieces of whole groups of three bytes encode to pieces of the same text. */
enum {
    ENCODE_PIECE = 3 << 20,
    DECODE_PIECE = 4 << 20
};

static const char standard_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *edge_base64(edge_ctx *ctx, const void *data, size_t length)
{
    const uint8_t *from = data;
    char *text = edge_alloc(ctx, (length + 2) / 3 * 4 + 1), *at = text;
    while (length > 0) {
        size_t piece = length < ENCODE_PIECE ? length : ENCODE_PIECE;
        at += EVP_EncodeBlock((uint8_t *)at, from, (int)piece);
        from += piece;
        length -= piece;
    }
    *at = '\0';
    return text;
}

char *edge_base64url(edge_ctx *ctx, const void *data, size_t length)
{
    char *text = edge_base64(ctx, data, length);
    for (char *at = text; *at != '\0'; at++) {
        if (*at == '+')
            *at = '-';
        else if (*at == '/')
            *at = '_';
        else if (*at == '=')
            *at = '\0';
    }
    return text;
}

/* The last group, written again, must be what was read: else bits were set that stand for no byte. */
static bool is_canonical(const char *group, const uint8_t *bytes, size_t padding)
{
    uint8_t again[5];
    EVP_EncodeBlock(again, bytes, (int)(3 - padding));
    return memcmp(again, group, 4) == 0;
}

/* text: whole groups of four of the standard alphabet, ended by padding bytes of "=". */
static uint8_t *decode_groups(edge_ctx *ctx, const char *text, size_t length, size_t padding, size_t *decoded)
{
    uint8_t *bytes = edge_alloc(ctx, length / 4 * 3 + 1), *at = bytes;
    for (size_t done = 0; done < length;) {
        size_t piece = length - done < DECODE_PIECE ? length - done : DECODE_PIECE;
        int written = EVP_DecodeBlock(at, (const uint8_t *)text + done, (int)piece);
        if (written < 0)
            return NULL;
        at += written;
        done += piece;
    }
    if (padding > 0 && !is_canonical(text + length - 4, at - 3, padding))
        return NULL;

    size_t count = length / 4 * 3 - padding;
    bytes[count] = 0;
    if (decoded != NULL)
        *decoded = count;
    return bytes;
}

static size_t padding_of(const char *text, size_t length)
{
    size_t padding = 0;
    while (padding < length && text[length - 1 - padding] == '=')
        padding++;
    return padding;
}

uint8_t *edge_base64_decode(edge_ctx *ctx, const char *text, size_t *length)
{
    size_t size = strlen(text), padding = padding_of(text, size);
    /* EVP_DecodeBlock forgives white space around and "=" within; this does not. */
    if (size % 4 != 0 || padding > 2 || strspn(text, standard_alphabet) != size - padding)
        return NULL;
    return decode_groups(ctx, text, size, padding, length);
}

uint8_t *edge_base64url_decode(edge_ctx *ctx, const char *text, size_t *length)
{
    size_t size = strlen(text), given = padding_of(text, size), digits = size - given;
    size_t padding = (4 - digits % 4) % 4;
    if (padding > 2 || (given != 0 && given != padding))
        return NULL;

    char *standard = edge_alloc(ctx, digits + padding + 1);
    for (size_t i = 0; i < digits; i++) {
        char c = text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i];
        if (text[i] == '+' || text[i] == '/' || strchr(standard_alphabet, c) == NULL)
            return NULL;
        standard[i] = c;
    }
    memset(standard + digits, '=', padding);
    return decode_groups(ctx, standard, digits + padding, padding, length);
}

char *edge_hex(edge_ctx *ctx, const void *data, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *from = data;
    char *text = edge_alloc(ctx, length * 2 + 1);
    for (size_t i = 0; i < length; i++) {
        text[2 * i] = digits[from[i] >> 4];
        text[2 * i + 1] = digits[from[i] & 15];
    }
    return text;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

uint8_t *edge_hex_decode(edge_ctx *ctx, const char *text, size_t *length)
{
    size_t size = strlen(text);
    if (size % 2 != 0)
        return NULL;

    uint8_t *bytes = edge_alloc(ctx, size / 2 + 1);
    for (size_t i = 0; i < size; i += 2) {
        int high = hex_value(text[i]), low = hex_value(text[i + 1]);
        if (high < 0 || low < 0)
            return NULL;
        bytes[i / 2] = (uint8_t)(high << 4 | low);
    }
    if (length != NULL)
        *length = size / 2;
    return bytes;
}
