/*
 * Verifiers of signed events: every scheme of the configuration has one, the specification's vectors pass, and
 * the tools they share. The senders' own libraries are tests/conformance/webhooks.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <config/schema.h>
#include <http/webhook.h>

#include <edge/crypto.h>

#include <stdlib.h>
#include <string.h>

#define AT_S 1773144000

static struct function_config function;
static char code[32];

static void on_main(edge_ctx *ctx)
{
    webhook_verify(ctx, &function);
}

static void on_finished(edge_ctx *ctx)
{
    strncpy(code, ctx->failure != NULL ? ctx->failure->code : "ok", sizeof code - 1);
}

/* What becomes of a delivery; env and headers end with { 0 }. */
static const char *verdict(
    const char *scheme, const edge_header *env, const edge_header *headers, const char *body)
{
    static const struct context_ops ops = { .main = on_main, .finished = on_finished };
    function.name = "hook";
    function.webhook_scheme = scheme;
    function.webhook_secret = "SECRET";
    memset(code, 0, sizeof code);

    edge_ctx *ctx =
        context_create(&(const struct context_setup){ .ops = &ops, .env = env, .memory_bytes = 1 << 20 });
    ctx->now_us = (int64_t)AT_S * 1000000;
    ctx->request = (struct request_view){
        .method = "POST", .path = "/", .headers = headers, .body = body, .body_length = strlen(body)
    };
    context_run(ctx);
    return code;
}

static void test_every_scheme(void **state)
{
    (void)state;
    static const edge_header nothing[] = { { 0 } }, env[] = { { "SECRET", "c2VjcmV0" }, { 0 } };
    for (const char *const *scheme = webhook_schemes; *scheme != NULL; scheme++) {
        assert_string_equal(verdict(*scheme, nothing, nothing, "{}"), "not_configured");
        assert_string_equal(verdict(*scheme, env, nothing, "{}"), "missing_signature");
    }
    assert_string_equal(verdict("unheard_of", env, nothing, "{}"), "internal_error");
}

static void test_elevenlabs(void **state)
{
    (void)state;
    static const char body[] =
        "{\"type\":\"post_call_transcription\",\"event_timestamp\":1773144000,\"data\":{\"conversation_id\":\""
        "conv_vec_1\",\"status\":\"done\",\"transcript\":[],\"metadata\":{\"call_duration_secs\":61}}}";
    static const edge_header env[] = { { "SECRET", "wsec_other,wsec_pulse_edge_vector" }, { 0 } };
    static const edge_header headers[] = { { "elevenlabs-signature",
                                               "t=1773144000,"
                                               "v0=2d115231a58b5eec3f7a3c5fe51638f8c96a66b81ce1c7ac34a34064f965"
                                               "da20" },
        { 0 } };
    assert_int_equal(strlen(body), 172);
    assert_string_equal(verdict("elevenlabs", env, headers, body), "ok");
    assert_string_equal(verdict("elevenlabs", env, headers, body + 1), "invalid_signature");
}

static void test_shopify(void **state)
{
    (void)state;
    static const char body[] =
        "{\"id\":820982911946154508,\"financial_status\":\"paid\",\"customer\":{\"email\":"
        "\"vera@example.com\"},\"line_items\":[{\"sku\":\"PULSE-PRO\"}]}";
    static const edge_header env[] = { { "SECRET", "shpss_pulse_edge_vector" }, { 0 } };
    static const edge_header headers[] = {
        { "x-shopify-hmac-sha256", "bdoELl5uW8zwNG9q241L31hysu0TjrUMwkyHPuSQsR0=" }, { 0 }
    };
    assert_int_equal(strlen(body), 126);
    assert_string_equal(verdict("shopify", env, headers, body), "ok");
    assert_string_equal(verdict("shopify", env, headers, body + 1), "invalid_signature");
}

static void test_gohighlevel(void **state)
{
    (void)state;
    static const char body[] =
        "{\"contact_email\":\"vera@example.com\",\"order_id\":\"ord_vec_1\",\"plan_type\":"
        "\"Professional\",\"webhookId\":\"wh_vec_1\"}";
    static const char key[] = "MCowBQYDK2VwAyEAA6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=";
    static const edge_header env[] = { { "SECRET", "ghl-shared-secret-1" }, { "GOHIGHLEVEL_PUBLIC_KEY", key },
        { 0 } };
    static const edge_header right[] = { { "x-webhook-secret", "ghl-shared-secret-1" }, { 0 } };
    static const edge_header wrong[] = { { "x-webhook-secret", "ghl-shared" }, { 0 } };
    /* The vector's signature is good; that its body names no location of ours is what refuses it. */
    static const edge_header app[] = {
        { "x-ghl-signature", "VQYPLnQzCu+tRHjc/+Ccklm9kAQz9B2CSTS7KUQcqy7cuZJ5PssUQJFoY3eHSpnM2qbei2"
                             "j3HDrcqTyO0K4+CA==" },
        { "x-webhook-secret", "ghl-shared-secret-1" }, { 0 }
    };
    assert_string_equal(verdict("gohighlevel", env, right, body), "ok");
    assert_string_equal(verdict("gohighlevel", env, wrong, body), "invalid_signature");
    assert_string_equal(verdict("gohighlevel", env, app, body), "invalid_signature");
}

static void test_fallback(void **state)
{
    (void)state;
    static const edge_header right[] = { { "x-api-key", "first" }, { 0 } };
    static const edge_header other[] = { { "x-api-key", "second" }, { 0 } };
    static const edge_header both[] = { { "SECRET", "first" }, { "OTHER", "second" }, { 0 } };
    static const edge_header one[] = { { "SECRET", "" }, { "OTHER", "second" }, { 0 } };
    function.webhook_secret_fallback = "OTHER";
    assert_string_equal(verdict("gohighlevel", both, right, "{}"), "ok");
    assert_string_equal(verdict("gohighlevel", both, other, "{}"), "invalid_signature");
    assert_string_equal(verdict("gohighlevel", one, other, "{}"), "ok");
    function.webhook_secret_fallback = NULL;
}

/* RFC 4231, cases 1 and 2, the data in one piece and in several. */
static void test_hmac(void **state)
{
    (void)state;
    uint8_t key[20], mac[32];
    memset(key, 0x0b, sizeof key);
    char hi[] = "Hi There", what[] = "what do ya ", want[] = "want for nothing?";
    webhook_hmac_sha256(key, sizeof key, &(const struct iovec){ hi, 8 }, 1, mac);
    assert_memory_equal(mac, "\xb0\x34\x4c\x61\xd8\xdb\x38\x53\x5c\xa8\xaf\xce\xaf\x0b\xf1\x2b", 16);
    webhook_hmac_sha256("Jefe", 4, (const struct iovec[]){ { what, 11 }, { want, 17 } }, 2, mac);
    assert_memory_equal(mac, "\x5b\xdc\xc1\x46\xbf\x60\x75\x4e\x6a\x04\x24\x26\x08\x95\x75\xc7", 16);
}

int main(void)
{
    arena_attach_jansson();
    fiber_system_start(ev_default_loop(0), 256 * 1024);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_scheme),
        cmocka_unit_test(test_elevenlabs),
        cmocka_unit_test(test_shopify),
        cmocka_unit_test(test_gohighlevel),
        cmocka_unit_test(test_fallback),
        cmocka_unit_test(test_hmac),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    fiber_system_stop();
    return failed;
}
