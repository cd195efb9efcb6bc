/*
 * When the key set is fetched: fresh, stale, too old, unknown kids, and failures.
 */
#include <http/jwks_set.h>

#include <arena.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <cjose/cjose.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t s = 1000000;
static const int64_t start = 1000 * 1000000ll;

static struct jwks_set set;
static char *modulus; /* of a public key, as in a JWK */
static const struct token_key *key;

static int make_key(void **state)
{
    (void)state;
    arena_attach_jansson();
    static const uint8_t exponent[] = { 1, 0, 1 };
    cjose_jwk_t *jwk = cjose_jwk_create_RSA_random(2048, exponent, sizeof exponent, NULL);
    char *text = cjose_jwk_to_json(jwk, false, NULL);
    json_t *json = json_loads(text, 0, NULL);
    modulus = strdup(json_string_value(json_object_get(json, "n")));
    json_decref(json);
    free(text);
    cjose_jwk_release(jwk);
    return 0;
}

static int drop_key(void **state)
{
    (void)state;
    free(modulus);
    return 0;
}

static int clear(void **state)
{
    (void)state;
    jwks_set_clear(&set);
    return 0;
}

static bool update(const char *first, const char *second, int64_t now_us)
{
    char text[2048];
    bool withdrawn = false;
    snprintf(text, sizeof text,
        "{\"keys\":[{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"%s\",\"kid\":\"%s\"},"
        "{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"%s\",\"kid\":\"%s\"}]}",
        modulus, first, modulus, second);
    assert_int_equal(jwks_set_update(&set, text, strlen(text), now_us, &withdrawn), 0);
    return withdrawn;
}

static enum jwks_step step(const char *kid, int64_t now_us)
{
    return jwks_set_step(&set, kid, false, false, now_us, &key);
}

static void test_life_of_a_set(void **state)
{
    (void)state;
    assert_int_equal(step("a", start), JWKS_FETCH);
    assert_false(update("a", "b", start));
    assert_int_equal(step("a", start), JWKS_USE);
    assert_string_equal(key->kid, "a");
    assert_int_equal(step("b", start + 299 * s), JWKS_USE);

    /* Stale: used, and refreshed behind the caller's back; a failure is tried again after the interval. */
    assert_int_equal(step("a", start + 300 * s), JWKS_USE_REFRESH);
    jwks_set_failed(&set, start + 301 * s);
    assert_int_equal(step("a", start + 302 * s), JWKS_USE);
    assert_int_equal(step("a", start + 311 * s), JWKS_USE_REFRESH);

    /* Too old: fetched first, but the last good set outlives every failure. */
    assert_int_equal(step("a", start + 3600 * s), JWKS_FETCH);
    jwks_set_failed(&set, start + 3601 * s);
    assert_int_equal(jwks_set_step(&set, "a", true, false, start + 3601 * s, &key), JWKS_USE);
    assert_int_equal(step("a", start + 3602 * s), JWKS_USE);
    assert_int_equal(step("a", start + 86400 * s), JWKS_FETCH);
    assert_false(update("b", "a", start + 86400 * s));
    assert_int_equal(step("a", start + 86401 * s), JWKS_USE);
}

static void test_unknown_kids(void **state)
{
    (void)state;
    update("a", "b", start);
    assert_int_equal(step("x", start + 9 * s), JWKS_REFUSE); /* too soon to ask again */
    assert_int_equal(step("x", start + 10 * s), JWKS_FETCH);
    assert_int_equal(jwks_set_step(&set, "x", false, true, start + 10 * s, &key), JWKS_FETCH);
    update("a", "b", start + 10 * s);
    assert_int_equal(jwks_set_step(&set, "x", true, false, start + 10 * s, &key), JWKS_REFUSE);

    /* The provider has said no: not asked again for x, but for others. */
    assert_int_equal(step("x", start + 25 * s), JWKS_REFUSE);
    assert_int_equal(step("y", start + 25 * s), JWKS_FETCH);
    assert_int_equal(step("x", start + 40 * s), JWKS_FETCH);

    /* A failed fetch says nothing about a kid. */
    jwks_set_failed(&set, start + 50 * s);
    assert_int_equal(jwks_set_step(&set, "z", true, false, start + 50 * s, &key), JWKS_REFUSE);
    assert_int_equal(step("z", start + 60 * s), JWKS_FETCH);
    update("z", "b", start + 60 * s);
    assert_int_equal(jwks_set_step(&set, "z", true, false, start + 60 * s, &key), JWKS_USE);
}

static void test_rotation(void **state)
{
    (void)state;
    update("a", "b", start);
    assert_int_equal(step("c", start + 20 * s), JWKS_FETCH);
    assert_true(update("b", "c", start + 20 * s));
    assert_int_equal(step("c", start + 20 * s), JWKS_USE);
    assert_int_equal(step("a", start + 21 * s), JWKS_REFUSE);
    assert_false(update("b", "c", start + 40 * s));
}

static void test_no_set(void **state)
{
    (void)state;
    bool withdrawn = false;
    static const char *const texts[] = { "", "{}", "[]", "{\"keys\":[]}", "{\"keys\":{}}",
        "{\"keys\":[1,null,{}]}" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        int64_t now = start + (int64_t)i * 2 * s;
        assert_int_equal(step("a", now), JWKS_FETCH);
        assert_int_equal(jwks_set_update(&set, texts[i], strlen(texts[i]), now, &withdrawn), -EINVAL);
        assert_int_equal(jwks_set_step(&set, "a", true, false, now, &key), JWKS_NO_SET);
        assert_int_equal(step("a", now + s / 2), JWKS_NO_SET);
    }

    update("a", "b", start + 100 * s);
    assert_int_equal(jwks_set_update(&set, "{}", 2, start + 500 * s, &withdrawn), -EINVAL);
    assert_int_equal(jwks_set_step(&set, "a", true, false, start + 500 * s, &key), JWKS_USE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_life_of_a_set, clear),
        cmocka_unit_test_teardown(test_unknown_kids, clear),
        cmocka_unit_test_teardown(test_rotation, clear),
        cmocka_unit_test_teardown(test_no_set, clear),
    };
    return cmocka_run_group_tests(tests, make_key, drop_key);
}
