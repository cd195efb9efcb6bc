/*
 * Envelopes: the spec's known answer, and everything that must not open; Ed25519 and HS256 as others have them.
 */
#include "crypto/envelope.h"
#include "crypto/jws.h"

#include <context.h>
#include <crypto.h>

#include <edge/crypto.h>
#include <edge/json.h>

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Allocation outside a fiber needs no more of an invocation than its arena. */
static edge_ctx *ctx;

#define KEY "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define OTHER_KEY "/////////////////////////////////////////w4="
#define AAD "pulse-edge:v1:external_service_connections:user_a:zoom"

static const char plain[] =
    "{\"access_token\":\"at-123\",\"refresh_token\":\"rt-456\",\"token_type\":\"Bearer\","
    "\"expires_at\":4102444800}";

static void restart(const char *key, const char *previous)
{
    crypto_stop();
    if (key != NULL)
        setenv("EDGE_ENCRYPTION_KEY", key, 1);
    if (previous != NULL)
        setenv("EDGE_ENCRYPTION_KEY_PREVIOUS", previous, 1);
    assert_int_equal(crypto_start(), 0);
    assert_null(getenv("EDGE_ENCRYPTION_KEY"));
    assert_null(getenv("EDGE_ENCRYPTION_KEY_PREVIOUS"));
}

static int make_context(void **state)
{
    (void)state;
    ctx = calloc(1, sizeof *ctx);
    arena_init(&ctx->arena, 64 << 20);
    arena_attach_jansson();
    arena_enter(&ctx->arena);
    restart(KEY, NULL);
    return 0;
}

static int free_context(void **state)
{
    (void)state;
    crypto_stop();
    arena_enter(NULL);
    arena_free(&ctx->arena);
    free(ctx);
    return 0;
}

static json_t *known_envelope(void)
{
    uint8_t iv[SEAL_IV_BYTES];
    for (size_t i = 0; i < sizeof iv; i++)
        iv[i] = (uint8_t)(0xa0 + i);
    return envelope_seal(ctx, plain, sizeof plain - 1, AAD, iv);
}

static void test_known_answer(void **state)
{
    (void)state;
    json_t *envelope = known_envelope();
    assert_int_equal(json_object_size(envelope), 6);
    assert_int_equal(edge_json_int(envelope, "v", 0), 1);
    assert_string_equal(edge_json_text(envelope, "alg"), "A256GCM");
    assert_string_equal(edge_json_text(envelope, "kid"), "630dcd29");
    assert_string_equal(edge_json_text(envelope, "iv"), "oKGio6Slpqeoqaqr");
    assert_string_equal(edge_json_text(envelope, "ct"),
        "nTodTiauccw9Eei4YhTi5FLNLT2jhXFOsCxU4xnZEHK6KTOQxEc9H2W+drwkTrbPZTdkPA27fxAeKnIuwVK/"
        "kvbZ5B1V18bM1oeHaOa8qcmSat+G//WoStxBCq6Jqn3p");
    assert_string_equal(edge_json_text(envelope, "tag"), "G2nGwjppNPN4KA1lWw7TFg==");

    size_t length = 0;
    assert_string_equal(edge_open(ctx, envelope, AAD, &length), plain);
    assert_int_equal(length, sizeof plain - 1);
    assert_string_equal(edge_json_text(edge_open_json(ctx, envelope, AAD), "access_token"), "at-123");
    assert_true(ctx->arena.wipe);
    json_decref(envelope);
}

static void test_every_write_has_its_own_vector(void **state)
{
    (void)state;
    json_t *one = edge_seal(ctx, plain, 5, AAD), *two = edge_seal(ctx, plain, 5, AAD);
    assert_string_not_equal(edge_json_text(one, "iv"), edge_json_text(two, "iv"));
    assert_memory_equal(edge_open(ctx, two, AAD, NULL), plain, 5);
    json_t *nothing = edge_seal(ctx, "", 0, "");
    size_t length = 9;
    assert_string_equal(edge_open(ctx, nothing, "", &length), "");
    assert_int_equal(length, 0);
}

/* One changed member after the other, and each bit of the tag and the text. */
static void test_nothing_else_opens(void **state)
{
    (void)state;
    static const char *const changes[][2] = { { "v", "2" }, { "v", "\"1\"" }, { "alg", "\"A128GCM\"" },
        { "kid", "\"630dcd2a\"" }, { "kid", "null" }, { "iv", "\"\"" }, { "iv", "\"oKGio6Slpqeoqaq\"" },
        { "tag", "\"G2nGwjppNPN4KA1lWw7T\"" }, { "tag", "\"\"" }, { "ct", "\"\"" }, { "ct", "7" },
        { "more", "1" } };
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        json_t *envelope = known_envelope();
        json_object_set_new(envelope, changes[i][0], json_loads(changes[i][1], JSON_DECODE_ANY, NULL));
        assert_null(edge_open(ctx, envelope, AAD, NULL));
    }
    json_t *envelope = known_envelope();
    assert_null(edge_open(ctx, envelope, "pulse-edge:v1:external_service_connections:user_b:zoom", NULL));
    assert_null(edge_open(ctx, json_object(), AAD, NULL));
    assert_null(edge_open(ctx, json_null(), AAD, NULL));
    assert_null(edge_open(ctx, NULL, AAD, NULL));

    static const char *const parts[] = { "ct", "tag", "iv" };
    for (size_t part = 0; part < 3; part++) {
        size_t length = 0;
        uint8_t *bytes = edge_base64_decode(ctx, edge_json_text(envelope, parts[part]), &length);
        for (size_t bit = 0; bit < length * 8; bit++) {
            json_t *changed = json_copy(envelope);
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            json_object_set_new(changed, parts[part], json_string(edge_base64(ctx, bytes, length)));
            assert_null(edge_open(ctx, changed, AAD, NULL));
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            json_decref(changed);
        }
    }
}

static void test_rotation(void **state)
{
    (void)state;
    json_t *old = known_envelope();
    restart(OTHER_KEY, KEY);
    assert_string_equal(edge_open(ctx, old, AAD, NULL), plain);
    json_t *new = edge_seal(ctx, plain, 5, AAD);
    assert_string_not_equal(edge_json_text(new, "kid"), "630dcd29");

    restart(OTHER_KEY, NULL);
    assert_null(edge_open(ctx, old, AAD, NULL));
    restart(NULL, KEY);
    assert_false(crypto_can_seal());
    assert_string_equal(edge_open(ctx, old, AAD, NULL), plain);
    restart(KEY, NULL);
}

static void test_malformed_keys_count_as_none(void **state)
{
    (void)state;
    static const char *const keys[] = { "", "AAEC", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gIQ==",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8 ", "AAECAwQFBgcICQoL_A0ODxAREhMUFRYXGBkaGxwdHh8=" };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        crypto_stop();
        setenv("EDGE_ENCRYPTION_KEY", keys[i], 1);
        assert_int_equal(crypto_start(), 0);
        assert_false(crypto_can_seal());
    }
    unsetenv("EDGE_ENCRYPTION_KEY");
    restart(KEY, NULL);
    assert_true(crypto_can_seal());
}

/* The webhook vector of the spec. */
static void test_ed25519(void **state)
{
    (void)state;
    static const char key[] = "MCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=";
    static const char pem[] = "-----BEGIN PUBLIC KEY-----\n"
                              "MCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=\n"
                              "-----END PUBLIC KEY-----\n";
    static const char body[] = "{\"contact_email\":\"vera@example.com\",\"order_id\":\"ord_vec_1\","
                               "\"plan_type\":\"Professional\",\"webhookId\":\"wh_vec_1\"}";
    size_t length = 0;
    uint8_t *signature = edge_base64_decode(ctx,
        "VQYPLnQzCu+tRHjc/+Ccklm9kAQz9B2CSTS7KUQcqy7cuZJ5PssUQJFoY3eHSpnM2qbei2j3HDrcqTyO0K4+CA==", &length);
    assert_true(edge_ed25519_verify(ctx, key, signature, length, body, sizeof body - 1));
    assert_true(edge_ed25519_verify(ctx, pem, signature, length, body, sizeof body - 1));
    assert_false(edge_ed25519_verify(ctx, key, signature, length, body, sizeof body - 2));
    assert_false(edge_ed25519_verify(ctx, key, signature, length - 1, body, sizeof body - 1));
    signature[0] ^= 1;
    assert_false(edge_ed25519_verify(ctx, key, signature, length, body, sizeof body - 1));
    assert_false(edge_ed25519_verify(ctx, "MCow", signature, length, body, sizeof body - 1));
    assert_false(edge_ed25519_verify(ctx, "not base64", signature, length, body, sizeof body - 1));
}

/* RFC 7515 A.1 has another order of members; what it signs verifies all the same. */
static void test_hs256(void **state)
{
    (void)state;
    static const char rfc[] =
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"
        ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290"
        "Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    size_t length = 0;
    uint8_t *key = edge_base64url_decode(
        ctx, "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow", &length);
    assert_string_equal(edge_json_text(jws_verify(ctx, rfc, key, length), "iss"), "joe");
    assert_null(jws_verify(ctx, rfc, key, length - 1));

    const char *token = jws_sign(ctx, json_pack("{s:s}", "url", "b/p"), "secret", 6);
    assert_string_equal(edge_json_text(jws_verify(ctx, token, "secret", 6), "url"), "b/p");
    for (size_t i = 0; i < strlen(token); i++) {
        char *forged = edge_copy(ctx, token);
        forged[i] = forged[i] == 'A' ? 'B' : 'A';
        assert_null(jws_verify(ctx, forged, "secret", 6));
    }
    static const char *const broken[] = { "", ".", "..", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", NULL };
    for (const char *const *text = broken; *text != NULL; text++)
        assert_null(jws_verify(ctx, *text, "secret", 6));
    /* Signed by the key, and no HS256 token. */
    const char *input = edge_format(ctx, "%s.e30", edge_base64url(ctx, "{\"alg\":\"none\"}", 14));
    uint8_t mac[EDGE_SHA256_BYTES];
    edge_hmac_sha256("secret", 6, input, strlen(input), mac);
    assert_null(jws_verify(ctx, edge_format(ctx, "%s.%s", input, edge_base64url(ctx, mac, 32)), "secret", 6));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_answer),
        cmocka_unit_test(test_every_write_has_its_own_vector),
        cmocka_unit_test(test_nothing_else_opens),
        cmocka_unit_test(test_rotation),
        cmocka_unit_test(test_malformed_keys_count_as_none),
        cmocka_unit_test(test_ed25519),
        cmocka_unit_test(test_hs256),
    };
    return cmocka_run_group_tests(tests, make_context, free_context);
}
