/*
 * calls_encode: encodings, digests, comparing, UUIDs and URL text of one input, as a function would use them.
 */
#include <edge/edge.h>

#include <string.h>

static const edge_field input[] = {
    { "text", EDGE_TEXT, .min = 0, .max = 1000, .fallback = "", .help = "What is encoded" },
    { "key", EDGE_TEXT, .min = 0, .max = 100, .fallback = "", .help = "Key of the HMAC" },
    { "publicKey", EDGE_TEXT, .min = 0, .max = 200, .fallback = "", .help = "Ed25519 key, SPKI in base64" },
    { "signature", EDGE_TEXT, .min = 0, .max = 200, .fallback = "", .help = "Ed25519 signature, base64" },
    { 0 },
};

static bool survives(edge_ctx *ctx, const char *text)
{
    size_t length = strlen(text), lengths[3];
    const void *decoded[] = {
        edge_base64_decode(ctx, edge_base64(ctx, text, length), &lengths[0]),
        edge_base64url_decode(ctx, edge_base64url(ctx, text, length), &lengths[1]),
        edge_hex_decode(ctx, edge_hex(ctx, text, length), &lengths[2]),
    };
    for (size_t i = 0; i < 3; i++)
        if (!edge_equal(decoded[i], lengths[i], text, length))
            return false;
    return true;
}

static json_t *calls_encode(edge_ctx *ctx, json_t *in)
{
    const char *text = edge_json_text(in, "text"), *key = edge_json_text(in, "key");
    uint8_t mac[EDGE_SHA256_BYTES], digest[EDGE_SHA256_BYTES], noise[2][16];
    edge_hmac_sha256(key, strlen(key), text, strlen(text), mac);
    edge_sha256(text, strlen(text), digest);
    edge_random(noise[0], sizeof noise[0]);
    edge_random(noise[1], sizeof noise[1]);

    size_t length = 0;
    const uint8_t *signature = edge_base64_decode(ctx, edge_json_text(in, "signature"), &length);
    const char *public_key = edge_json_text(in, "publicKey");
    bool signed_text = public_key[0] != '\0' && signature != NULL &&
                       edge_ed25519_verify(ctx, public_key, signature, length, text, strlen(text));

    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:b}", "base64",
        edge_base64(ctx, text, strlen(text)), "base64url", edge_base64url(ctx, text, strlen(text)), "hmac",
        edge_hex(ctx, mac, sizeof mac), "sha256", edge_hex(ctx, digest, sizeof digest), "url",
        edge_url_encode(ctx, text), "v4", edge_uuid_v4(ctx), "v5", edge_uuid_v5_url(ctx, text), "survives",
        survives(ctx, text), "signed", signed_text, "random",
        !edge_equal(noise[0], sizeof noise[0], noise[1], sizeof noise[1]), "malformedIsNull",
        edge_base64_decode(ctx, "a", NULL) == NULL && edge_hex_decode(ctx, "0g", NULL) == NULL);
}

EDGE_FUNCTION(calls_encode, .summary = "Encodes one text in every way", .input = input, .handle = calls_encode);
