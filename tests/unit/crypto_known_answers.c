/*
 * Crypto against published answers: RFC 4231, FIPS 180-4, RFC 4648, RFC 9562, and the webhook vectors of the
 * spec.
 */
#include <context.h>
#include <edge/crypto.h>

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Allocation outside a fiber needs no more of an invocation than its arena. */
static edge_ctx *ctx;

static int make_context(void **state)
{
    (void)state;
    ctx = calloc(1, sizeof *ctx);
    arena_init(&ctx->arena, 64 << 20);
    return 0;
}

static int free_context(void **state)
{
    (void)state;
    arena_free(&ctx->arena);
    free(ctx);
    return 0;
}

static const char *hmac_hex(const void *key, size_t key_length, const char *data)
{
    uint8_t mac[EDGE_SHA256_BYTES];
    edge_hmac_sha256(key, key_length, data, strlen(data), mac);
    return edge_hex(ctx, mac, sizeof mac);
}

static const char *sha_hex(const char *data, size_t length)
{
    uint8_t digest[EDGE_SHA256_BYTES];
    edge_sha256(data, length, digest);
    return edge_hex(ctx, digest, sizeof digest);
}

static void test_hmac_rfc4231(void **state)
{
    (void)state;
    uint8_t key[131];
    memset(key, 0x0b, 20);
    assert_string_equal(
        hmac_hex(key, 20, "Hi There"), "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    assert_string_equal(hmac_hex("Jefe", 4, "what do ya want for nothing?"),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    memset(key, 0xaa, sizeof key);
    assert_string_equal(hmac_hex(key, 131, "Test Using Larger Than Block-Size Key - Hash Key First"),
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    /* The empty key is a key, not the one before it. */
    assert_string_equal(
        hmac_hex(NULL, 0, ""), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void test_sha256_fips180(void **state)
{
    (void)state;
    assert_string_equal(sha_hex("abc", 3), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_string_equal(sha_hex("", 0), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_string_equal(sha_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56),
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void test_base64_rfc4648(void **state)
{
    (void)state;
    static const char *const vectors[][2] = {
        { "", "" },
        { "f", "Zg==" },
        { "fo", "Zm8=" },
        { "foo", "Zm9v" },
        { "foob", "Zm9vYg==" },
        { "fooba", "Zm9vYmE=" },
        { "foobar", "Zm9vYmFy" },
    };
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        const char *plain = vectors[i][0], *text = vectors[i][1];
        size_t length = 99;
        assert_string_equal(edge_base64(ctx, plain, strlen(plain)), text);
        uint8_t *bytes = edge_base64_decode(ctx, text, &length);
        assert_non_null(bytes);
        assert_int_equal(length, strlen(plain));
        assert_memory_equal(bytes, plain, length);
        assert_string_equal((char *)edge_base64url_decode(ctx, text, NULL), plain);
        assert_string_equal(
            (char *)edge_base64url_decode(ctx, edge_base64url(ctx, plain, strlen(plain)), NULL), plain);
    }
    assert_string_equal(edge_base64(ctx, "\xfb\xff\xbf", 3), "+/+/");
    assert_string_equal(edge_base64url(ctx, "\xfb\xff\xbf", 3), "-_-_");
    assert_string_equal(edge_base64url(ctx, "f", 1), "Zg");
}

static void test_base64_is_strict(void **state)
{
    (void)state;
    static const char *const broken[] = { "Z", "Zg", "Zg=", "Zg===", "=", "====", "Zm9v=", "Zm9v====", " Zm9v",
        "Zm9v\n", "Zm 9v", "Zm=v", "Zg=a", "Zh==", "Zm9=", "Zm-v", "Zm_v", "Zm9\xc3", NULL };
    for (const char *const *text = broken; *text != NULL; text++)
        assert_null(edge_base64_decode(ctx, *text, NULL));

    static const char *const broken_url[] = { "Z", "Zg=", "Zg===", "Zm9v=", "=", "Zm+v", "Zm/v", "Zh", "Zm9v\n",
        "Zm9v Zg", "Zm9v\xff", NULL };
    for (const char *const *text = broken_url; *text != NULL; text++)
        assert_null(edge_base64url_decode(ctx, *text, NULL));
    assert_non_null(edge_base64url_decode(ctx, "Zm8", NULL));
    assert_non_null(edge_base64url_decode(ctx, "Zm8=", NULL));
}

/* Longer than one piece of the encoder, at every remainder of three. */
static void test_base64_of_much(void **state)
{
    (void)state;
    for (size_t extra = 0; extra < 3; extra++) {
        size_t length = (3 << 20) + 3000 + extra, decoded = 0;
        uint8_t *data = malloc(length);
        for (size_t i = 0; i < length; i++)
            data[i] = (uint8_t)(i * 31 + (i >> 8));
        char *text = edge_base64(ctx, data, length);
        assert_int_equal(strlen(text), (length + 2) / 3 * 4);
        uint8_t *back = edge_base64_decode(ctx, text, &decoded);
        assert_int_equal(decoded, length);
        assert_memory_equal(back, data, length);
        free(data);
        arena_free(&ctx->arena);
        arena_init(&ctx->arena, 64 << 20);
    }
}

static void test_hex(void **state)
{
    (void)state;
    size_t length = 0;
    assert_string_equal(edge_hex(ctx, "\x00\x7f\xff", 3), "007fff");
    uint8_t *bytes = edge_hex_decode(ctx, "00fFaB", &length);
    assert_int_equal(length, 3);
    assert_memory_equal(bytes, "\x00\xff\xab", 3);
    assert_non_null(edge_hex_decode(ctx, "", &length));
    assert_int_equal(length, 0);
    assert_null(edge_hex_decode(ctx, "0", NULL));
    assert_null(edge_hex_decode(ctx, "0g", NULL));
    assert_null(edge_hex_decode(ctx, "@0", NULL));
    assert_null(edge_hex_decode(ctx, " 0", NULL));
}

static void test_equal(void **state)
{
    (void)state;
    assert_true(edge_equal("secret", 6, "secret", 6));
    assert_true(edge_equal(NULL, 0, "", 0));
    assert_false(edge_equal("secret", 6, "secreT", 6));
    assert_false(edge_equal("secret", 6, "secre", 5));
    assert_false(edge_equal("", 0, "x", 1));
}

static void test_uuid(void **state)
{
    (void)state;
    /* RFC 9562 A.4 has the DNS namespace; these are the URL namespace's, as Python's uuid5 gives them. */
    assert_string_equal(edge_uuid_v5_url(ctx, "http://example.com/"), "0a300ee9-f9e4-5697-a51a-efc7fafaba67");
    assert_string_equal(edge_uuid_v5_dns(ctx, "python.org"), "886313e1-3b8a-5372-9b90-0c9aee199e5d");
    assert_string_equal(edge_uuid_v5_url(ctx, ""), "1b4db7eb-4057-5ddf-91e0-36dec72071f5");

    const char *one = edge_uuid_v4(ctx), *two = edge_uuid_v4(ctx);
    assert_int_equal(strlen(one), 36);
    assert_int_equal(one[14], '4');
    assert_non_null(strchr("89ab", one[19]));
    assert_int_equal(strspn(one, "0123456789abcdef-"), 36);
    assert_string_not_equal(one, two);
}

static void test_random(void **state)
{
    (void)state;
    uint8_t a[64] = { 0 }, b[64] = { 0 };
    edge_random(a, sizeof a);
    edge_random(b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
    edge_random(a, 0);
}

static void test_svix_vector(void **state)
{
    (void)state;
    static const char signed_text[] =
        "msg_2pulseVector0001.1773144000."
        "{\"type\":\"user.created\",\"data\":{\"id\":\"user_vec\",\"first_name\":\"Vera\",\"last_name\":"
        "\"Example\","
        "\"email_addresses\":[{\"id\":\"idn_1\",\"email_address\":\"vera@example.com\"}],"
        "\"primary_email_address_id\":\"idn_1\"}}";
    size_t key_length = 0;
    uint8_t *key = edge_base64_decode(ctx, "cHVsc2UtZWRnZS1jbGVyay10ZXN0LWtleS0wMQ==", &key_length);
    assert_memory_equal(key, "pulse-edge-clerk-test-key-01", key_length);

    uint8_t mac[EDGE_SHA256_BYTES];
    edge_hmac_sha256(key, key_length, signed_text, sizeof signed_text - 1, mac);
    assert_string_equal(edge_base64(ctx, mac, sizeof mac), "uaSKnQSHqhjrPWYGIT0j6HNWHdZc7oBlMpF/+Bn4KyQ=");
}

static void test_elevenlabs_vector(void **state)
{
    (void)state;
    static const char key[] = "wsec_pulse_edge_vector";
    assert_string_equal(
        hmac_hex(key, sizeof key - 1,
            "1773144000.{\"type\":\"post_call_transcription\",\"event_timestamp\":1773144000,"
            "\"data\":{\"conversation_id\":\"conv_vec_1\",\"status\":\"done\",\"transcript\":[],"
            "\"metadata\":{\"call_duration_secs\":61}}}"),
        "2d115231a58b5eec3f7a3c5fe51638f8c96a66b81ce1c7ac34a34064f965da20");
}

static void test_shopify_vector(void **state)
{
    (void)state;
    static const char key[] = "shpss_pulse_edge_vector";
    static const char body[] = "{\"id\":820982911946154508,\"financial_status\":\"paid\",\"customer\":"
                               "{\"email\":\"vera@example.com\"},\"line_items\":[{\"sku\":\"PULSE-PRO\"}]}";
    size_t length = 0;
    uint8_t mac[EDGE_SHA256_BYTES];
    edge_hmac_sha256(key, sizeof key - 1, body, sizeof body - 1, mac);
    uint8_t *sent = edge_base64_decode(ctx, "bdoELl5uW8zwNG9q241L31hysu0TjrUMwkyHPuSQsR0=", &length);
    assert_true(edge_equal(mac, sizeof mac, sent, length));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hmac_rfc4231),
        cmocka_unit_test(test_sha256_fips180),
        cmocka_unit_test(test_base64_rfc4648),
        cmocka_unit_test(test_base64_is_strict),
        cmocka_unit_test(test_base64_of_much),
        cmocka_unit_test(test_hex),
        cmocka_unit_test(test_equal),
        cmocka_unit_test(test_uuid),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_svix_vector),
        cmocka_unit_test(test_elevenlabs_vector),
        cmocka_unit_test(test_shopify_vector),
    };
    return cmocka_run_group_tests(tests, make_context, free_context);
}
